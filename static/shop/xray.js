// The X-ray: what stands behind each list of the page, and what the browser tells Reemio, as it happens.

import { make } from "./cards.js";

const OPEN = "shop.xray";
const LOG = "shop.xray.log";
const MOST = 40;
const SIGNALS = ["content", "collaborative", "popularity", "rerank"];
const PLACES = {
  homepage: "Homepage",
  product: "Similar products",
  cart: "Goes with the cart",
  "frequently-bought-together": "Bought together",
  search: "Search",
};
const VERBS = {
  view: "looked at",
  recommendation_view: "was shown",
  recommendation_click: "clicked",
  cart_add: "put in the cart",
  cart_remove: "took out",
  wishlist_add: "saved",
  purchase: "bought",
  search: "searched",
};
const STATES = { open: "until you leave", waiting: "waiting", sent: "stored", offline: "no answer" };

const store = (where) => ({
  read: (name, otherwise) => {
    try {
      return JSON.parse(where().getItem(name)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  keep: (name, value) => {
    try {
      where().setItem(name, JSON.stringify(value));
    } catch {
      // Storage may be switched off; then the panel forgets with the page.
    }
  },
});
const visit = store(() => sessionStorage);
const always = store(() => localStorage);
const panel = document.querySelector("#xray");
const lists = panel.querySelector("[data-xray-lists]");
const log = panel.querySelector("[data-xray-log]");
const buttons = document.querySelectorAll("[data-xray-toggle]");
const events = new Map(visit.read(LOG, []));

/** Listen to the tracker, and show the panel where it was open before. */
export function wireXray(reemio) {
  reemio.on("list", showList);
  reemio.on("view", (event) => note([event], "open"));
  reemio.on("event", (event) => note([event], "waiting"));
  reemio.on("sent", (sent) => note(sent.events, "sent"));
  reemio.on("delayed", () => note([...events.values()].filter(({ state }) => state === "waiting"), "offline"));
  panel.querySelector("[data-xray-session]").textContent = reemio.session ?? "none: you have not consented";
  for (const button of buttons) button.addEventListener("click", () => toggle(panel.hidden, true));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && !panel.hidden && toggle(false, true));
  toggle(always.read(OPEN, false), false);
  drawLog();
}

function toggle(open, byHand) {
  panel.hidden = !open;
  document.body.classList.toggle("with-xray", open);
  for (const button of buttons) button.setAttribute("aria-expanded", String(open));
  if (!byHand) return;
  always.keep(OPEN, open);
  (open ? panel.querySelector("button") : buttons[0]).focus();
}

// --- Lists --------------------------------------------------------------------------------------------------------

function showList({ placement, address, answer, server_ms, total_ms, status }) {
  lists.querySelector(".xray-none")?.remove();
  const department = new URLSearchParams(address?.split("?")[1]).get("category");
  const title = make("h3", { textContent: department ? `${PLACES[placement]}: ${department}` : PLACES[placement] });
  if (!answer) {
    const why = status ? `Answered with status ${status}.` : "No answer; the page goes on without it.";
    lists.append(make("section", { className: "xray-list" }, title, make("p", { className: "quiet", textContent: why })));
    return;
  }
  const facts = make("dl", { className: "xray-facts" });
  const say = (term, text) => facts.append(make("div", {}, make("dt", { textContent: term }), make("dd", { textContent: text })));
  if (answer.strategy) say("Strategy", answer.strategy.replaceAll("_", " "));
  say("Engine", Number.isNaN(server_ms) ? "not said" : `${server_ms.toFixed(1)} ms`);
  say("With the network", `${Math.round(total_ms)} ms`);
  if (answer.model_version !== undefined) say("Model", answer.model_version === null ? "none yet" : `version ${answer.model_version}`);
  if (answer.rerank) say("Reranking", answer.rerank);
  if (answer.total !== undefined) say("Matches", answer.total);
  const rows = make("ol", { className: "xray-items" }, ...answer.items.map(row));
  const request = make("p", { className: "xray-request" }, "Request ", make("code", { textContent: answer.request_id }));
  lists.append(make("section", { className: "xray-list" }, title, facts, rows, request));
}

function row({ product, score, signals, reason, position }) {
  const bars = make("div", { className: "xray-bars" });
  for (const name of SIGNALS) {
    const value = signals[name];
    const label = value === null ? `${name}: not run` : `${name}: ${value.toFixed(2)}`;
    const bar = make("span", { className: `xray-bar of-${name}`, title: label });
    bar.append(make("span", { className: "hidden", textContent: label }));
    bar.style.setProperty("--value", value ?? 0);
    bars.append(bar);
  }
  const head = make(
    "div",
    { className: "xray-row" },
    make("span", { className: "xray-place", textContent: position }),
    make("span", { className: "xray-title", textContent: product.title }),
    make("b", { textContent: score.toFixed(3) }),
  );
  return make("li", {}, head, make("p", { className: "xray-why" }, reason?.text ?? "", bars));
}

// --- Events -------------------------------------------------------------------------------------------------------

function note(happened, state) {
  for (const event of happened) {
    const { event_id, interaction_type, product_id, search_query, recommendation_position, at } = event;
    events.set(event_id, { event_id, interaction_type, product_id, search_query, recommendation_position, at, state });
  }
  for (const oldest of events.keys()) {
    if (events.size <= MOST) break;
    events.delete(oldest);
  }
  visit.keep(LOG, [...events]);
  drawLog();
}

function drawLog() {
  if (!events.size) return;
  log.replaceChildren(...[...events.values()].reverse().map(logLine));
}

function logLine({ interaction_type, product_id, search_query, recommendation_position, at, state }) {
  const time = new Date(at).toLocaleTimeString("en-GB");
  const what = search_query ? `“${search_query}”` : product_id;
  const place = recommendation_position ? ` (place ${recommendation_position})` : "";
  return make(
    "li",
    { className: `is-${state}` },
    make("time", { textContent: time }),
    make("span", {}, make("b", { textContent: VERBS[interaction_type] }), ` ${what}${place}`),
    make("em", { textContent: STATES[state] }),
  );
}
