// How one product of a list looks in this shop: the template that reemio.js is given.

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
export function card({ product, product_id: id, reason }) {
  const image = withFallback(
    make("img", { src: product.image_url || pictureUrl(id), alt: "", width: 300, height: 300, loading: "lazy" }),
  );
  image.dataset.picture = pictureUrl(id);
  const text = make(
    "div",
    { className: "card-text" },
    make("a", { className: "card-link", href: productUrl(id), textContent: product.title }),
    make("p", { className: "card-price", textContent: price(product.price, product.currency) }),
    make("p", { className: "card-reason", textContent: reason?.text ?? "" }),
  );
  return make("div", { className: "card" }, make("div", { className: "thumb" }, image), text);
}

/** Return the place of a card that is on its way; as high as a card, so that nothing moves. */
export function bones() {
  const bar = (more) => make("span", { className: `bar ${more}` });
  const text = make("div", { className: "card-text" }, bar(""), bar("short"), bar("tiny"));
  const place = make("div", { className: "card skeleton" }, make("div", { className: "thumb" }), text);
  place.setAttribute("aria-hidden", "true");
  return place;
}
