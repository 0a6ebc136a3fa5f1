// What every part uses: settings of the tag, the browser's storage, ids.

const VERSION = "1.0.0";
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const SEEN_MS = 1000; // half of a product in sight for this long is an impression
const IDLE_MS = 30_000; // without a move for this long, time on page stands still
const VISIT_MS = 30 * MINUTE; // without anything for this long, a new visit begins
const GATHER_MS = 1500; // events that are in no hurry wait this long for company
const LONGEST_WAIT_MS = 60_000; // between two tries
const LIST_MS = 4000; // a list that takes longer is none
const POST_MS = 30_000; // an answer that takes longer is none, and events are sent again
const LARGEST_BATCH = 50;
const LARGEST_BODY = 48_000; // browsers let 64 KiB outlive a page
const MOST_KEPT = 500;
const MOST_LEADS = 60;
const LEAD_DAYS = 7;
const HURRIED = new Set(["purchase", "cart_add", "cart_remove", "wishlist_add", "recommendation_click", "search"]);

const tag = document.currentScript;
const settings = { ...tag?.dataset };
const API = `${(settings.api ?? new URL(tag?.src ?? location.href).origin).replace(/\/+$/, "")}/api/v1`;

/** What goes wrong in here must not reach the shop's page. */
const safely =
  (work) =>
  (...given) => {
    try {
      return work(...given);
    } catch (error) {
      console.warn("reemio:", error);
    }
  };

/** The same for work that takes time: it comes to null. */
const safelyLater =
  (work) =>
  async (...given) => {
    try {
      return await work(...given);
    } catch (error) {
      console.warn("reemio:", error);
      return null;
    }
  };

/** What is kept in the browser: localStorage where it may be used, the page's own memory otherwise. */
const disk = (() => {
  let store;
  try {
    store = window.localStorage;
    store.setItem("reemio:?", "");
    store.removeItem("reemio:?");
  } catch {
    const memory = new Map();
    store = {
      getItem: (name) => memory.get(name) ?? null,
      setItem: (name, text) => memory.set(name, text),
      removeItem: (name) => memory.delete(name),
    };
    store.names = () => [...memory.keys()];
  }
  const named = (name) => `reemio:${name}`;
  return {
    get(name) {
      try {
        return JSON.parse(store.getItem(named(name)));
      } catch {
        return null;
      }
    },
    set(name, value) {
      try {
        store.setItem(named(name), JSON.stringify(value));
      } catch {
        // Full, or forbidden meanwhile: what is in memory still goes out with this page.
      }
    },
    drop: (name) => store.removeItem(named(name)),
    names: (start) =>
      (store.names?.() ?? Object.keys(store))
        .filter((name) => name.startsWith(named(start)))
        .map((name) => name.slice(7)),
  };
})();

/** A random UUID, also on plain HTTP, where `crypto.randomUUID` is missing. */
const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
};

/** 53 bits of a text, for names that have to come out the same each time. */
const digest = (text) => {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (const letter of text) {
    const code = letter.codePointAt(0);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
};

const listeners = {};
const tell = (name, detail) => listeners[name]?.forEach((listener) => safely(listener)(detail));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const headers = (more) => (settings.key ? { Authorization: `Api-Key ${settings.key}`, ...more } : more);
