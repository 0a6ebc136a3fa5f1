// What every page of the demo shop does once it is loaded.

import { leadTo, send } from "./api.js";
import { withFallback } from "./cards.js";
import { say, wireCart } from "./cart.js";
import { loadLists } from "./lists.js";

const shopper = document.body.dataset.user || "nobody";

document.querySelectorAll("img[data-picture]").forEach(withFallback);
loadLists();
wireCart();
wireProduct();
wireChooser();

document.querySelectorAll("[data-submit-on-change]").forEach((form) => {
  form.classList.add("by-itself");
  form.addEventListener("change", () => form.requestSubmit());
});

// A page that comes back from the browser's memory shows lists from before: what was done since has moved them.
window.addEventListener("pageshow", (happening) => happening.persisted && location.reload());

function wireProduct() {
  const page = document.querySelector("[data-product]");
  if (!page) return;
  const id = page.dataset.product;
  send({ interaction_type: "view", product_id: id, ...leadTo(id) });
  wireWish(page.querySelector("[data-wish]"), id);
}

function wireWish(button, id) {
  const key = `shop.wishes.${shopper}`;
  const wishes = new Set(read(key));
  const draw = () => {
    button.setAttribute("aria-pressed", String(wishes.has(id)));
    button.querySelector("span").textContent = wishes.has(id) ? "Saved" : "Save";
  };
  button.addEventListener("click", () => {
    if (wishes.delete(id)) {
      say("Taken off your wish list.");
    } else {
      wishes.add(id);
      send({ interaction_type: "wishlist_add", product_id: id, ...leadTo(id) });
      say("Saved to your wish list.");
    }
    keep(key, [...wishes]);
    draw();
  });
  draw();
}

function wireChooser() {
  const chooser = document.querySelector("[data-who]");
  document.addEventListener("click", ({ target }) => {
    if (!chooser.contains(target)) chooser.open = false;
    document.querySelectorAll(".why[open]").forEach((why) => {
      if (!why.contains(target)) why.open = false;
    });
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    const open = document.querySelector(".who[open], .why[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage may be switched off; the wish was posted all the same.
  }
}
