// The cart: forms that work by themselves, and report to the API when there is a script.

import { leadTo, newId, send } from "./api.js";

const toast = document.querySelector("[data-toast]");
let fading = 0;

/** Say something to everybody: shown for a while, and read out. */
export function say(sentence) {
  toast.textContent = sentence;
  toast.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => toast.classList.remove("shown"), 4000);
}

/** Take over the cart's forms. */
export function wireCart() {
  document.querySelectorAll("[data-cart-add]").forEach((form) => form.addEventListener("submit", add));
  document.querySelectorAll("[data-cart-remove]").forEach((form) => form.addEventListener("submit", remove));
  document.querySelectorAll("[data-checkout]").forEach((form) => form.addEventListener("submit", checkOut));
}

async function add(happening) {
  happening.preventDefault();
  const form = happening.currentTarget;
  const facts = form.closest("[data-product]").dataset;
  const quantity = Number(new FormData(form).get("quantity") ?? 1);
  const answer = await change(form);
  if (!answer) return form.submit();
  if (answer.changed) send({ interaction_type: "cart_add", ...line(facts.product, quantity, facts) });
  count(answer.pieces);
  say(answer.message);
}

async function remove(happening) {
  happening.preventDefault();
  const form = happening.currentTarget;
  const facts = form.closest("[data-line]").dataset;
  const answer = await change(form);
  if (!answer) return form.submit();
  if (answer.changed) await send({ interaction_type: "cart_remove", ...line(facts.line, Number(facts.quantity), facts) });
  location.reload();
}

/** Post the order's lines as one batch, then empty the cart. A second try sends the same events: each counts once. */
async function checkOut(happening) {
  happening.preventDefault();
  const form = happening.currentTarget;
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  form.order_id.value ||= newId();
  const bought = [...document.querySelectorAll('[data-line][data-buyable="yes"]')].map(({ dataset }, index) => ({
    interaction_type: "purchase",
    event_id: `${form.order_id.value}-${index}`,
    order_id: form.order_id.value,
    ...line(dataset.line, Number(dataset.quantity), dataset),
  }));
  if (await send(...bought)) return form.submit();
  button.disabled = false;
  form.querySelector("[data-problem]").textContent = "The order could not be placed. Your cart is as it was; please try again.";
}

function line(productId, quantity, { price, currency }) {
  const cost = price ? { unit_price: price, ...(currency && { currency }) } : {};
  return { product_id: productId, quantity, ...cost, ...leadTo(productId) };
}

async function change(form) {
  try {
    // Not `form.action`, which is the field of that name where a form has one.
    const response = await fetch(form.getAttribute("action"), {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

function count(pieces) {
  const badge = document.querySelector("[data-cart-count]");
  badge.hidden = pieces === 0;
  badge.querySelector("[data-cart-number]").textContent = pieces;
}
