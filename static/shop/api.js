// The real API, as any storefront would call it: lists in, events out.

const API = "/api/v1";
const { user, session } = document.body.dataset;
const MEMORY = "shop.led-by";

/** Who is here, as the API's fields; a stranger has a session only. */
export const visitor = user ? { user_id: user, session_id: session } : { session_id: session };

/** Return the API's answer to a GET, or null where there is none: the page must work without it. */
export async function get(path, params = {}) {
  const query = new URLSearchParams({ ...visitor, ...params });
  try {
    const response = await fetch(`${API}${path}?${query}`, { credentials: "omit" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Post events, and return whether all are stored. They outlive the page, and are stored once however often sent. */
export async function send(...events) {
  if (!events.length) return true;
  const full = events.map((event) => ({
    event_id: newId(),
    ...visitor,
    ...event,
    extra_data: { device: device(), ...event.extra_data },
  }));
  const [path, body] = full.length === 1 ? ["/interactions", full[0]] : ["/interactions/batch", { interactions: full }];
  try {
    const response = await fetch(`${API}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      // An admin who looks at the shop is a shopper here: without cookies, nobody asks for their CSRF token.
      credentials: "omit",
      keepalive: true,
      body: JSON.stringify(body),
    });
    return response.ok && response.status !== 207;
  } catch {
    return false;
  }
}

/** Return a random UUID, also where the page is not served over HTTPS and `crypto.randomUUID` is missing. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Remember which list led to a product, so that what follows is credited to it. */
export function rememberLead(productId, lead) {
  const leads = readLeads();
  leads[productId] = lead;
  try {
    sessionStorage.setItem(MEMORY, JSON.stringify({ session, leads }));
  } catch {
    // Storage may be switched off; then nothing is credited.
  }
}

/** Return the attribution fields of the list that led to a product in this visit, if one did. */
export function leadTo(productId) {
  return readLeads()[productId] ?? {};
}

function readLeads() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(MEMORY)) ?? {};
    return kept.session === session ? kept.leads : {};
  } catch {
    return {};
  }
}

function device() {
  const width = window.innerWidth;
  if (width < 640) return "mobile";
  return width < 1024 && matchMedia("(pointer: coarse)").matches ? "tablet" : "desktop";
}
