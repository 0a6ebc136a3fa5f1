// What is seen of a list, and clicked.

const seen = new Set();
const inSight = new Map(); // product's element → timer
const facts = new WeakMap();
const watcher = new IntersectionObserver(
  safely((entries) => {
    for (const { target, intersectionRatio } of entries) {
      stopClock(target);
      inSight.delete(target);
      if (intersectionRatio >= 0.5) startClock(target);
    }
  }),
  { threshold: 0.5 },
);
const stopClock = (element) => clearTimeout(inSight.get(element));
const startClock = (element) => {
  const visible = document.visibilityState === "visible";
  inSight.set(element, visible ? setTimeout(safely(() => impress(element)), SEEN_MS) : 0);
};

const impress = (element) => {
  watcher.unobserve(element);
  inSight.delete(element);
  const event = facts.get(element);
  const name = `${event.recommendation_request_id} ${event.product_id}`;
  if (seen.has(name)) return;
  seen.add(name);
  track("recommendation_view", event);
};

/**
 * Report what is seen and clicked of a list: one that `render` drew, or one that the shop's server has, with
 * `data-reemio-request` and `data-reemio-context` on it, `data-reemio-product` and `-position` on its entries.
 */
const watch = (list, { request_id, context } = {}) => {
  const request = request_id ?? list.dataset.reemioRequest;
  const where = context ?? list.dataset.reemioContext;
  if (!request) return;
  for (const element of list.querySelectorAll("[data-reemio-product]")) {
    const known = facts.has(element);
    facts.set(element, {
      product_id: element.dataset.reemioProduct,
      recommendation_request_id: request,
      recommendation_context: where,
      recommendation_position: Number(element.dataset.reemioPosition),
    });
    if (!known) for (const kind of ["click", "auxclick"]) element.addEventListener(kind, safely(clicked));
    watcher.observe(element);
  }
};

const clicked = ({ currentTarget, target, button }) => {
  if (button > 1 || !target.closest("a[href]")) return;
  const { product_id, ...lead } = facts.get(currentTarget);
  if (allowed()) keepLead(product_id, lead);
  track("recommendation_click", { product_id, ...lead });
};
