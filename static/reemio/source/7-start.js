// What a shop calls, and what happens by itself.

const reemio = {
  version: VERSION,
  get session() {
    return sessionId();
  },
  track: safely(track),
  view: safely(view),
  search: safely(search),
  addToCart: safely(about("cart_add")),
  removeFromCart: safely(about("cart_remove")),
  addToWishlist: safely(about("wishlist_add")),
  purchase: safely(purchase),
  identify: safely(identify),
  reset: safely(reset),
  consent: safely(consent),
  recommend: safelyLater(recommend),
  render: safelyLater(render),
  watch: safely(watch),
  flush: () => {
    settle();
    return flush();
  },
  on(name, listener) {
    (listeners[name] ??= new Set()).add(listener);
    return () => listeners[name].delete(listener);
  },
  push: (...calls) => calls.forEach((call) => safely(call)(reemio)),
};

const leftBehind = () => disk.names("q:").map((name) => disk.get(name)).filter((event) => event?.event_id);

/** With permission: who it is, and what earlier pages could not get rid of. */
const begin = () => {
  if (!allowed()) return;
  sessionId();
  for (const event of leftBehind()) if (event.event_id !== open?.event_id) queue.set(event.event_id, event);
  if (settings.user !== undefined) identify(settings.user, settings.userToken);
  if (queue.size || disk.get("claim")) flush();
};

const numbers = (name, value) => (name === "limit" ? Number(value) : value);
const declared = safely(() => {
  for (const element of document.querySelectorAll("[data-reemio-view]")) view(element.dataset.reemioView);
  for (const element of document.querySelectorAll("[data-reemio-request]")) watch(element);
  for (const element of document.querySelectorAll("[data-reemio-list]")) {
    const { reemioList, ...data } = element.dataset;
    const options = {};
    for (const [name, value] of Object.entries(data)) {
      const key = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      options[key] = numbers(key, value);
    }
    render(reemioList, element, options);
  }
});

/** What happens by itself. */
const listen = () => {
  for (const sign of ["pointermove", "pointerdown", "keydown", "scroll", "touchstart"])
    addEventListener(sign, () => (moved = performance.now()), { passive: true, capture: true });
  addEventListener("scroll", measureDepth, { passive: true });
  setInterval(tick, 1000);
  const lookedAway = () => {
    tick();
    const hidden = document.visibilityState === "hidden";
    for (const element of inSight.keys()) {
      stopClock(element);
      if (!hidden) startClock(element);
    }
    if (hidden) leave();
    else moved = performance.now();
  };
  const backOnline = () => {
    failures = 0;
    due = Infinity;
    wake(0);
  };
  document.addEventListener("visibilitychange", safely(lookedAway));
  addEventListener("pagehide", safely(leave));
  addEventListener("online", safely(backOnline));
  // Back from the browser's memory: the product is looked at again.
  addEventListener("pageshow", ({ persisted }) => persisted && viewed && reemio.view(viewed));
};

// A second copy of the tag must not send everything twice.
if (!window.reemio?.version) {
  const waiting = Array.isArray(window.reemio) ? window.reemio : [];
  window.reemio = reemio;
  listen();
  safely(begin)();
  reemio.push(...waiting);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", declared, { once: true });
  else declared();
}
