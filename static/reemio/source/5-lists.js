// Lists: asked for, and drawn.

const LIMITS = { homepage: 12, product: 8, cart: 8, "frequently-bought-together": 4, search: 24 };
const FILTERS = ["limit", "category", "exclude", "min_price", "max_price", "q"];

const addressOf = (placement, options) => {
  if (!LIMITS[placement]) throw new TypeError(`no placement ${placement}`);
  const query = new URLSearchParams(person());
  for (const name of FILTERS) if (options[name] != null && options[name] !== "") query.set(name, options[name]);
  if (placement === "search") return `/search?${query}`;
  if (placement === "cart") query.set("product_ids", [options.product_ids ?? []].flat().join(","));
  const id = placement === "product" || placement === "frequently-bought-together" ? `/${encodeURIComponent(options.product_id)}` : "";
  return `/recommendations/${placement}${id}?${query}`;
};

/** Ask for a list: Reemio's answer, or null where there is none. What happened before is told first. */
const recommend = async (placement, options = {}) => {
  try {
    if ((queue.size || disk.get("claim")) && !failures) await Promise.race([flush(), pause(500)]);
    const began = performance.now();
    const address = addressOf(placement, options);
    const response = await fetch(API + address, {
      headers: headers({}),
      credentials: "omit",
      signal: AbortSignal.timeout?.(options.timeout ?? LIST_MS),
    });
    readClock(response);
    const answer = response.ok ? await response.json() : null;
    const server = Number(response.headers.get("server-timing")?.match(/engine;dur=([\d.]+)/)?.[1] ?? NaN);
    tell("list", { placement, address, status: response.status, answer, server_ms: server, total_ms: performance.now() - began });
    return answer;
  } catch (error) {
    tell("list", { placement, status: 0, answer: null, error });
    return null;
  }
};

const make = (name, className, ...children) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children.filter((child) => child != null));
  return element;
};

const money = (amount, currency) => {
  try {
    return new Intl.NumberFormat(document.documentElement.lang || undefined, { style: "currency", currency }).format(amount);
  } catch {
    return `${amount} ${currency ?? ""}`.trim();
  }
};

/** A catalogue's address; nothing where it is none, or a script in disguise. */
const addressIn = (text) => {
  try {
    return text && /^https?:$/.test(new URL(text, location.href).protocol) ? text : "";
  } catch {
    return "";
  }
};

const card = ({ product, reason }) => {
  const link = make("a", "reemio-link", product.title);
  const [page, image] = [addressIn(product.url), addressIn(product.image_url)];
  if (page) link.href = page;
  const picture = make("img", "reemio-picture");
  Object.assign(picture, { alt: "", loading: "lazy", width: 300, height: 300, src: image });
  const price = product.price === null ? null : make("p", "reemio-price", money(product.price, product.currency));
  return make("div", "reemio-card", make("div", "reemio-frame", image ? picture : null), link, price, make("p", "reemio-reason", reason.text));
};

const skeleton = () => {
  const bones = make("div", "reemio-card reemio-skeleton", make("div", "reemio-frame"), make("p", "reemio-bar"), make("p", "reemio-bar reemio-short"));
  bones.setAttribute("aria-hidden", "true");
  return bones;
};

let headings = 0;

/** Show a list in an element, with places for its products until they come. Resolves to the list, or to null. */
const render = async (placement, target, options = {}) => {
  const place = typeof target === "string" ? document.querySelector(target) : target;
  if (!place) return null;
  const asked = (place.reemioAsked = {});
  const entries = make("ul", "reemio-list");
  entries.setAttribute("role", "list");
  const bones = options.skeleton ?? skeleton;
  const inside = (content) => make("li", "reemio-item", content);
  for (let number = 0; number < (options.limit ?? LIMITS[placement]); number++) entries.append(inside(bones()));
  const title = options.heading ? make(options.level ?? "h2", "reemio-heading") : null;
  if (title) {
    title.id = `reemio-heading-${++headings}`;
    title.textContent = typeof options.heading === "function" ? options.heading(null) : options.heading;
    place.setAttribute("aria-labelledby", title.id);
    if (!place.matches("section,[role]")) place.setAttribute("role", "region");
  }
  place.hidden = false;
  place.setAttribute("aria-busy", "true");
  place.replaceChildren(...[title, entries].filter(Boolean));
  const height = place.offsetHeight;
  const answer = await recommend(placement, options);
  if (place.reemioAsked !== asked) return answer; // somebody asked anew meanwhile
  place.removeAttribute("aria-busy");
  holdHeight(place, height);
  if (!answer?.items.length) {
    giveUp(place);
    return answer;
  }
  try {
    const draw = options.template ?? card;
    entries.replaceChildren(
      ...answer.items.map((item) => {
        const entry = inside(draw(item, answer));
        entry.dataset.reemioProduct = item.product_id;
        entry.dataset.reemioPosition = item.position;
        return entry;
      }),
    );
    if (title && typeof options.heading === "function") title.textContent = options.heading(answer);
  } catch (error) {
    console.warn("reemio:", error);
    giveUp(place);
    return answer;
  }
  if (answer.context) watch(place, answer);
  return answer;
};

/** What stands below a list must not move because the list is shorter than its skeleton, or did not come. */
const holdHeight = (place, height) => {
  place.style.minHeight = `${height}px`;
  addEventListener("resize", () => (place.style.minHeight = ""), { once: true });
};

const giveUp = (place) => {
  place.replaceChildren();
  place.removeAttribute("aria-labelledby");
  // Below the fold nobody sees the rest move up; in sight, an empty place is better than a jump.
  if (place.getBoundingClientRect().top >= innerHeight) {
    place.style.minHeight = "";
    place.hidden = true;
  }
};
