// What every page of the demo shop does once it is loaded. Reemio is asked and told through reemio.js alone.

import { withFallback } from "./cards.js";
import { say, wireCart } from "./cart.js";
import { loadLists } from "./lists.js";
import { wireXray } from "./xray.js";

const shopper = document.body.dataset.user || "nobody";

document.querySelectorAll("img[data-picture]").forEach(withFallback);
wireChooser();
document.querySelectorAll("[data-submit-on-change]").forEach((form) => {
  form.classList.add("by-itself");
  form.addEventListener("change", () => form.requestSubmit());
});

(window.reemio ||= []).push((reemio) => {
  wireXray(reemio);
  wireProduct(reemio);
  wireCart(reemio);
  wireConsent(reemio);
  if (!document.body.dataset.plain) loadLists(reemio);
});

// Without the tracker there are no lists: their places leave, and the shop goes on.
window.addEventListener("load", () => {
  if (!window.reemio?.version) document.querySelectorAll("[data-list]").forEach((section) => (section.hidden = true));
});

// A page that comes back from the browser's memory shows lists from before: what was done since has moved them.
window.addEventListener("pageshow", (happening) => happening.persisted && location.reload());

function wireProduct(reemio) {
  const page = document.querySelector("article[data-product]");
  if (!page) return;
  const id = page.dataset.product;
  reemio.view(id);
  wireWish(reemio, page.querySelector("[data-wish]"), id);
}

function wireWish(reemio, button, id) {
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
      reemio.addToWishlist(id);
      say("Saved to your wish list.");
    }
    keep(key, [...wishes]);
    draw();
  });
  draw();
}

function wireConsent(reemio) {
  const box = document.querySelector("[data-consent]");
  if (!box) return;
  box.checked = reemio.session !== null;
  box.addEventListener("change", () => {
    reemio.consent(box.checked);
    say(box.checked ? "The shop remembers you in this browser." : "Forgotten. Lists are the popular ones from now on.");
  });
}

function wireChooser() {
  const chooser = document.querySelector("[data-who]");
  document.addEventListener("click", ({ target }) => {
    if (!chooser.contains(target)) chooser.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !chooser.open) return;
    chooser.open = false;
    chooser.querySelector("summary").focus();
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
    // Storage may be switched off; the wish was told all the same.
  }
}
