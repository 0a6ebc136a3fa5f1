// The cart and the checkout: forms that work by themselves, and tell Reemio where there is a script.

const toast = document.querySelector("[data-toast]");
let fading = 0;

/** Say something to everybody: shown for a while, and read out. */
export function say(sentence) {
  toast.textContent = sentence;
  toast.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => toast.classList.remove("shown"), 4000);
}

/** Take over the cart's forms, and tell of the order that was placed. */
export function wireCart(reemio) {
  const on = (selector, what) =>
    document.querySelectorAll(selector).forEach((form) => form.addEventListener("submit", (happening) => what(reemio, happening)));
  on("[data-cart-add]", add);
  on("[data-cart-remove]", remove);
  const order = document.querySelector("[data-order]");
  if (order) tellOrder(reemio, order);
}

async function add(reemio, happening) {
  happening.preventDefault();
  const form = happening.currentTarget;
  const facts = form.closest("[data-product]").dataset;
  const quantity = Number(new FormData(form).get("quantity") ?? 1);
  const answer = await change(form);
  if (!answer) return form.submit();
  if (answer.changed) reemio.addToCart(facts.product, line(quantity, facts));
  count(answer.pieces);
  say(answer.message);
}

async function remove(reemio, happening) {
  happening.preventDefault();
  const form = happening.currentTarget;
  const facts = form.closest("[data-line]").dataset;
  const answer = await change(form);
  if (!answer) return form.submit();
  if (answer.changed) reemio.removeFromCart(facts.line, line(Number(facts.quantity), facts));
  location.reload();
}

/** On the thank-you page. Opened twice, it tells the same order: each line counts once. */
function tellOrder(reemio, order) {
  const items = [...order.querySelectorAll("[data-line]")].map(({ dataset }) => ({
    product_id: dataset.line,
    ...line(Number(dataset.quantity), dataset),
  }));
  reemio.purchase({ order_id: order.dataset.order, items });
}

function line(quantity, { price, currency }) {
  return { quantity, ...(price && { unit_price: price }), ...(price && currency && { currency }) };
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
