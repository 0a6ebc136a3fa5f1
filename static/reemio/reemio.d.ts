/** Types of reemio.js 1.0. What each call does: docs/tracker.md. */

export type Placement = "homepage" | "product" | "cart" | "frequently-bought-together" | "search";
export type Context = "homepage" | "product_page" | "cart" | "email";
export type InteractionType =
  | "purchase"
  | "cart_add"
  | "wishlist_add"
  | "recommendation_click"
  | "view"
  | "recommendation_view"
  | "cart_remove"
  | "search";

export interface Signals {
  content: number;
  collaborative: number;
  popularity: number;
  rerank: number | null;
}

export interface Product {
  title: string;
  category: string;
  brand: string;
  price: string | null;
  currency: string;
  image_url: string;
  url: string;
  in_stock: boolean;
}

export interface Item {
  product_id: string;
  position: number;
  score: number;
  signals: Signals;
  reason: { code: string; text: string; product_id: string | null };
  product: Product;
}

export interface List {
  request_id: string;
  /** Search results have none. */
  context?: Context;
  strategy?: "personalized" | "session" | "popular" | "similar" | "cart" | "bought_together";
  model_version?: number | null;
  rerank?: string;
  /** Of search results: how many products matched. */
  total?: number;
  items: Item[];
}

export interface ListOptions {
  /** For `product` and `frequently-bought-together`. */
  product_id?: string;
  /** For `cart`. */
  product_ids?: string[];
  /** For `search`. */
  q?: string;
  limit?: number;
  category?: string;
  exclude?: string;
  min_price?: number | string;
  max_price?: number | string;
  /** Milliseconds after which there is no list; 4000 unless said. */
  timeout?: number;
}

export interface RenderOptions extends ListOptions {
  /** A text, or a function that makes one of the list (of null, while it is on its way). */
  heading?: string | ((list: List | null) => string);
  /** The heading's element; `h2` unless said. */
  level?: "h2" | "h3" | "h4";
  /** Draws one product. The tracker puts it in an `<li>`, and sees what is shown and which of its links are clicked. */
  template?: (item: Item, list: List) => Node;
  /** Draws the place of one product that is on its way. */
  skeleton?: () => Node;
}

export interface Fields {
  quantity?: number;
  unit_price?: number | string;
  currency?: string;
  order_id?: string;
  event_id?: string;
  extra_data?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface Order {
  order_id: string;
  currency?: string;
  items: (Fields & { product_id: string })[];
}

export interface TrackedEvent extends Fields {
  event_id: string;
  interaction_type: InteractionType;
  product_id?: string;
  user_id?: string;
  session_id: string;
  /** When it happened, by the browser's clock: milliseconds since 1970. */
  at: number;
}

export interface Happenings {
  /** A product page was opened; its view is sent when the shopper leaves it. */
  view: TrackedEvent;
  /** An event waits to be sent. */
  event: TrackedEvent;
  /** Reemio has a batch. */
  sent: { events: TrackedEvent[]; status: number; answer: unknown };
  /** Reemio does not answer; another try will be made. */
  delayed: { waiting: number; failures: number };
  /** The session was offered to be merged into the user. */
  identified: { user_id: string; session_id: string; status: number };
  /** A list was asked for; status 0 is no answer, `server_ms` NaN where the server did not say. */
  list: { placement: Placement; address?: string; status: number; answer: List | null; server_ms?: number; total_ms?: number; error?: unknown };
}

export interface Reemio {
  readonly version: string;
  /** The session's id, or null without consent. */
  readonly session: string | null;

  track(type: InteractionType, fields?: Fields): string | null;
  view(productId: string, fields?: Fields): string | null;
  search(query: string, more?: { filters?: Record<string, unknown>; resultsCount?: number }): string | null;
  addToCart(productId: string, fields?: Fields): string | null;
  removeFromCart(productId: string, fields?: Fields): string | null;
  addToWishlist(productId: string, fields?: Fields): string | null;
  purchase(order: Order): (string | null)[];

  identify(userId: string, token?: string): Promise<boolean> | undefined;
  reset(): void;
  consent(given: boolean): void;

  recommend(placement: Placement, options?: ListOptions): Promise<List | null>;
  render(placement: Placement, element: Element | string, options?: RenderOptions): Promise<List | null>;
  watch(list: HTMLElement, served?: { request_id: string; context: Context }): void;

  /** Send what waits now. True where Reemio has all of it. */
  flush(): Promise<boolean>;
  /** Listen; call what is returned to stop. */
  on<Name extends keyof Happenings>(name: Name, listener: (detail: Happenings[Name]) => void): () => void;
  /** Calls each function with the tracker, at once or as soon as it is loaded. */
  push(...calls: ((reemio: Reemio) => void)[]): void;
}

declare global {
  interface Window {
    /** An array of calls until the script is loaded, then the tracker. */
    reemio: Reemio;
  }
}
