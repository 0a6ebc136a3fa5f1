// The lists of a page: reemio.js fetches and draws them, and reports what becomes of them.

import { bones, card } from "./cards.js";

const name = document.body.dataset.name;
const TITLES = {
  personalized: name ? `Picked for ${name}` : "Picked for you",
  session: "From what you looked at",
  popular: "Popular right now",
};

/** Fill every list of the page. */
export function loadLists(reemio) {
  document.querySelectorAll("[data-list]").forEach((section) => loadList(reemio, section));
  document.querySelectorAll("[data-results]").forEach((section) => loadResults(reemio, section));
}

function loadList(reemio, section) {
  const { list: placement, limit, category, title } = section.dataset;
  const options = { limit: Number(limit), template: card, skeleton: bones };
  if (category) options.category = category;
  if (placement === "cart") options.product_ids = cartIds();
  else if (placement !== "homepage") options.product_id = document.querySelector("[data-product]").dataset.product;
  options.heading = (list) => (list && truthful(placement, category, list)) || title;
  reemio.render(placement, section, options);
}

/** A list says what it is: popular things are nobody's pick, and what only goes with a product was not bought with it. */
function truthful(placement, category, list) {
  if (placement === "homepage" && !category) return TITLES[list.strategy];
  const bought = list.items.some((item) => item.signals.collaborative > 0);
  return placement === "frequently-bought-together" && !bought ? "Goes well with this" : "";
}

async function loadResults(reemio, section) {
  const { results: q, category, min, max } = section.dataset;
  const filters = Object.fromEntries(
    Object.entries({ category, price_min: Number(min) || "", price_max: Number(max) || "" }).filter(([, value]) => value !== ""),
  );
  const options = { q, category, min_price: min, max_price: max, limit: 24, template: card, skeleton: bones };
  const answer = await reemio.render("search", section.querySelector("[data-found]"), options);
  reemio.search(q, answer ? { filters, resultsCount: answer.total } : { filters });
  const total = section.querySelector("[data-total]");
  if (!answer) total.textContent = "The search is not answering. Please browse the departments above.";
  else if (answer.total) total.textContent = `${answer.total} product${answer.total === 1 ? "" : "s"}`;
  else total.textContent = "Nothing found. Try another word, fewer filters, or the departments above.";
}

function cartIds() {
  return [...document.querySelectorAll("[data-line]")].map((line) => line.dataset.line);
}
