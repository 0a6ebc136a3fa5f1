// What happens on a page, and for how long.

let active = 0;
let depth = 0;
let moved = performance.now();
let ticked = moved;

/** Count what has passed since the last tick, where the page was in sight and somebody was there. */
const tick = () => {
  const now = performance.now();
  if (document.visibilityState === "visible" && now - moved < IDLE_MS) active += Math.min(now - ticked, 2000);
  ticked = now;
};

const measureDepth = () => {
  const { scrollHeight } = document.documentElement;
  depth = Math.max(depth, Math.min(100, Math.round((100 * (scrollY + innerHeight)) / Math.max(scrollHeight, 1))));
};

const device = () => {
  if (!matchMedia("(pointer: coarse)").matches) return "desktop";
  return Math.min(screen.width, screen.height) < 600 ? "mobile" : "tablet";
};

const visitSeconds = () => {
  const now = Date.now();
  const kept = disk.get("visit");
  const visit = kept && now - kept.last < VISIT_MS ? { began: kept.began, last: now } : { began: now, last: now };
  disk.set("visit", visit);
  return Math.min(604_800, Math.round((now - visit.began) / 1000));
};

const engagement = () => {
  tick();
  measureDepth();
  return {
    device: device(),
    timeOnPageSeconds: Math.min(86_400, Math.round(active / 1000)),
    scrollDepthPercent: depth,
    sessionDurationSeconds: visitSeconds(),
  };
};

const queue = new Map(); // event_id → event: not known to be stored by Reemio
const undecided = []; // what happened before anybody was asked for consent
let open = null; // the view of this page, which is sent with the time it took

/** Note that something happened. Returns its event_id, or null where nothing may be noted. */
const track = (type, fields = {}) => {
  const event = makeEvent(type, fields);
  return event && put(event);
};

const makeEvent = (type, { extra_data, ...fields }) => {
  const may = allowed();
  if (may === false) return null;
  if (may === null) {
    if (undecided.length < 100) undecided.push([type, { extra_data, ...fields }, Date.now()]);
    return null;
  }
  const lead = fields.product_id && !fields.recommendation_request_id && !type.startsWith("recommendation_") ? leadTo(fields.product_id) : {};
  const extra = { ...engagement(), ...extra_data };
  return { event_id: newId(), interaction_type: type, ...person(), ...lead, ...fields, extra_data: extra, at: Date.now() };
};

const put = (event) => {
  queue.set(event.event_id, event);
  disk.set(`q:${event.event_id}`, event);
  for (const oldest of queue.keys()) {
    if (queue.size <= MOST_KEPT) break;
    forget(oldest);
  }
  tell("event", event);
  wake(HURRIED.has(event.interaction_type) ? 0 : GATHER_MS);
  return event.event_id;
};

const forget = (id) => {
  queue.delete(id);
  disk.drop(`q:${id}`);
};

/** A product page is open. Its view is kept from now on, and sent when the shopper leaves or looks away. */
const view = (productId, fields) => {
  settle();
  [active, depth] = [0, 0];
  ticked = performance.now();
  open = makeEvent("view", { product_id: String(productId), ...fields });
  if (open) {
    disk.set(`q:${open.event_id}`, open);
    tell("view", open);
  }
  viewed = String(productId);
  return open?.event_id ?? null;
};
let viewed = null;

/** Send the open view, with the time and the depth that it came to. */
const settle = () => {
  if (!open) return;
  const event = { ...open, extra_data: { ...open.extra_data, ...engagement() } };
  open = null;
  put(event);
};

const search = (query, { filters, resultsCount, ...fields } = {}) => {
  const text = String(query).trim().slice(0, 500);
  if (!text) return null;
  return track("search", { search_query: text, ...fields, extra_data: { filters: filters ?? {}, ...(resultsCount >= 0 && { resultsCount }) } });
};

const about = (type) => (productId, fields) => track(type, { product_id: String(productId), ...fields });

/** An order of one or several lines; a line that is sent twice counts once, from wherever it is sent. */
const purchase = ({ order_id, items, currency }) =>
  items.map(({ product_id, ...line }) => {
    const name = `${order_id}:${product_id}`;
    const event_id = `purchase:${name.length < 50 ? name : digest(name)}`;
    return track("purchase", { event_id, order_id: String(order_id), product_id: String(product_id), ...(currency && { currency }), ...line });
  });

// Which list led to a product: what follows is told with it.
const readLeads = () => disk.get("leads") ?? {};
const leadTo = (productId) => {
  const found = readLeads()[productId];
  return found && Date.now() - found[1] < LEAD_DAYS * DAY ? found[0] : {};
};
const keepLead = (productId, lead) => {
  const { [productId]: _, ...others } = readLeads();
  disk.set("leads", Object.fromEntries([...Object.entries(others).slice(1 - MOST_LEADS), [productId, [lead, Date.now()]]]));
};
