// How one recommended product looks, with its reason and what stands behind it.

const money = new Map();

/** Write an amount as the pages do: $1,186.00. */
export function price(amount, currency) {
  if (amount === null || amount === undefined) return "";
  try {
    if (!money.has(currency)) money.set(currency, new Intl.NumberFormat("en-US", { style: "currency", currency }));
    return money.get(currency).format(amount);
  } catch {
    return `${currency ?? ""} ${amount}`.trim();
  }
}

/** Return an element with properties and children; texts are never parsed as HTML. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Return the page of a product. */
export const productUrl = (id) => `/shop/products/${encodeURIComponent(id)}`;

/** Return the drawn picture of a product. */
export const pictureUrl = (id) => `/shop/pictures/${encodeURIComponent(id)}.svg`;

/** Where a product's own picture cannot be loaded, show the drawn one, once. */
export function withFallback(image) {
  const fall = () => (image.src = image.dataset.picture);
  // Of a picture in the page itself, the error may have come before this script.
  if (image.src && image.complete && !image.naturalWidth) fall();
  else image.addEventListener("error", fall, { once: true });
  return image;
}

/** Return the card of one item of a list. */
export function card(item, list) {
  const { product, product_id: id } = item;
  const image = withFallback(
    make("img", { src: product.image_url || pictureUrl(id), alt: "", width: 300, height: 300, loading: "lazy" }),
  );
  image.dataset.picture = pictureUrl(id);
  const text = make(
    "div",
    { className: "card-text" },
    make("a", { className: "card-link", href: productUrl(id), textContent: product.title }),
    make("p", { className: "card-price", textContent: price(product.price, product.currency) }),
    make("p", { className: "card-reason", textContent: item.reason?.text ?? "" }),
  );
  return make("li", { className: "card" }, make("div", { className: "thumb" }, image), text, why(item, list));
}

function why(item, list) {
  const rows = make("dl");
  const say = (term, ...facts) => rows.append(make("dt", { textContent: term }), make("dd", {}, ...facts));
  if (list.strategy) say("Strategy", list.strategy.replaceAll("_", " "));
  say("Score", Number(item.score).toFixed(3));
  for (const [name, value] of Object.entries(item.signals ?? {})) {
    if (value === null) say(name, make("span", { className: "quiet", textContent: "not run" }));
    else say(name, make("meter", { min: 0, max: 1, value, ariaLabel: name }), ` ${Number(value).toFixed(2)}`);
  }
  say("Place", `${item.position} of ${list.items.length}`);
  if (list.request_id) say("Request", make("code", { textContent: list.request_id }));
  const summary = make("summary", {}, "Why this?", make("span", { className: "hidden", textContent: ` ${item.product.title}` }));
  return make("details", { className: "why" }, summary, make("div", { className: "why-body" }, rows));
}
