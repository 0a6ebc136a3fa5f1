// The lists of a page: fetched, drawn, and what becomes of them reported back.

import { get, rememberLead, send } from "./api.js";
import { card } from "./cards.js";

const SEEN_MS = 1000;
const FLUSH_MS = 400;
const name = document.body.dataset.name;
const TITLES = {
  personalized: name ? `Picked for ${name}` : "Picked for you",
  session: "From what you looked at",
  popular: "Popular right now",
};
/** Fill every list of the page; one that has nothing to show leaves. */
export function loadLists() {
  document.querySelectorAll("[data-list]").forEach(loadList);
  document.querySelectorAll("[data-results]").forEach(loadResults);
}

async function loadList(section) {
  const { list: placement, limit, category } = section.dataset;
  const params = category ? { limit, category } : { limit };
  let path = `/recommendations/${placement}`;
  if (placement === "cart") params.product_ids = cartIds().join(",");
  else if (placement !== "homepage") path += `/${encodeURIComponent(productHere())}`;
  const list = await get(path, params);
  if (!list?.items?.length) {
    section.hidden = true;
    return;
  }
  if (placement === "homepage" && !category && TITLES[list.strategy])
    section.querySelector("h2").textContent = TITLES[list.strategy];
  // Topped up with what goes with it, the list must not claim that anybody bought it so.
  if (placement === "frequently-bought-together" && !list.items.some((item) => item.signals.collaborative > 0))
    section.querySelector("h2").textContent = "Goes well with this";
  show(section, list);
}

async function loadResults(section) {
  const q = section.dataset.results;
  const answer = await get("/search", { q });
  const extra_data = answer ? { filters: {}, resultsCount: answer.total } : { filters: {} };
  send({ interaction_type: "search", search_query: q, extra_data });
  const total = section.querySelector("[data-total]");
  if (!answer) {
    total.textContent = "The search is not answering. Please browse the departments above.";
    section.querySelector(".cards").replaceChildren();
    return;
  }
  total.textContent = answer.total
    ? `${answer.total} product${answer.total === 1 ? "" : "s"}`
    : "Nothing found. Try another word, or browse the departments above.";
  show(section, answer);
}

function show(section, list) {
  const cards = section.querySelector(".cards");
  cards.replaceChildren(...list.items.map((item) => card(item, list)));
  cards.removeAttribute("aria-busy");
  const context = section.dataset.context;
  // Results of a search are asked for, not recommended: only lists report what was seen and clicked.
  if (!context || !list.request_id) return;
  [...cards.children].forEach((element, index) => report(element, list.items[index], list.request_id, context));
}

function report(element, item, requestId, context) {
  const lead = {
    recommendation_request_id: requestId,
    recommendation_context: context,
    recommendation_position: item.position,
  };
  const event = (type) => ({ interaction_type: type, product_id: item.product_id, ...lead });
  whenSeen(element, () => queue(event("recommendation_view")));
  const clicked = (happening) => {
    if (happening.button > 1) return;
    rememberLead(item.product_id, lead);
    send(event("recommendation_click"));
  };
  const link = element.querySelector(".card-link");
  link.addEventListener("click", clicked);
  link.addEventListener("auxclick", clicked);
}

// --- Impressions: half of the card in sight, for a second, once -------------------------------------------------

const watched = new WeakMap();
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const watch = watched.get(target);
      clearTimeout(watch.timer);
      if (!isIntersecting) continue;
      watch.timer = setTimeout(() => {
        watcher.unobserve(target);
        watch.done();
      }, SEEN_MS);
    }
  },
  { threshold: 0.5 },
);

function whenSeen(element, done) {
  watched.set(element, { done, timer: 0 });
  watcher.observe(element);
}

let waiting = [];
let flushing = 0;

function queue(event) {
  waiting.push(event);
  clearTimeout(flushing);
  flushing = setTimeout(flush, FLUSH_MS);
}

function flush() {
  clearTimeout(flushing);
  const events = waiting;
  waiting = [];
  send(...events);
}

window.addEventListener("pagehide", flush);

// --- What the page is about -------------------------------------------------------------------------------------

function productHere() {
  return document.querySelector("[data-product]").dataset.product;
}

function cartIds() {
  return [...document.querySelectorAll("[data-line]")].map((line) => line.dataset.line);
}
