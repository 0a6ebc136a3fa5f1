// Getting events to Reemio: in batches, again until they are there, each once.

let timer = 0;
let due = Infinity;
let failures = 0;
let flying = null;
let skew = disk.get("skew") ?? 0; // how far this clock is behind Reemio's, in milliseconds

const wake = (ms) => {
  const wait = failures ? Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (failures - 1)) * (0.75 + Math.random() / 2) : ms;
  if (Date.now() + wait >= due) return;
  clearTimeout(timer);
  due = Date.now() + wait;
  timer = setTimeout(() => {
    due = Infinity;
    flush();
  }, wait);
};

/**
 * Post JSON. By fetch, which unlike sendBeacon can carry the key, and with `keepalive` outlives the page as well.
 * Without cookies: a shopper who is signed in to Reemio's admin is a shopper here. Status 0: no answer.
 */
const post = async (path, body) => {
  try {
    const response = await fetch(API + path, {
      method: "POST",
      headers: headers({ "Content-Type": "application/json" }),
      body: JSON.stringify(body),
      credentials: "omit",
      keepalive: true,
      signal: AbortSignal.timeout?.(POST_MS),
    });
    const clockWas = skew;
    readClock(response);
    const answer = await response.json().catch(() => null);
    return { status: response.status, answer, clockWasWrong: Math.abs(skew - clockWas) > MINUTE };
  } catch {
    return { status: 0 };
  }
};

/** A clock that is off by more than a minute is put right, or its events would lie in the future. */
const readClock = (response) => {
  const behind = Date.parse(response.headers.get("date") ?? "") - Date.now();
  if (Number.isNaN(behind)) return;
  const better = Math.abs(behind) > MINUTE ? behind : 0;
  if (better !== skew) disk.set("skew", (skew = better));
};

let flight = []; // what was sent last, and is not answered yet

const nextBatch = () => {
  const batch = [];
  let size = 0;
  for (const event of queue.values()) {
    if (flight.includes(event)) continue;
    size += JSON.stringify(event).length;
    if (batch.length === LARGEST_BATCH || (batch.length && size > LARGEST_BODY)) break;
    batch.push(event);
  }
  return batch;
};

const forSending = ({ at, ...event }) => ({ ...event, occurred_at: new Date(at + skew).toISOString() });

/** Send what waits. Resolves to true where Reemio has all of it. */
const flush = () => {
  flying ??= sendAll().finally(() => (flying = null));
  return flying;
};

const sendAll = async () => {
  if (navigator.onLine === false) return false;
  while (queue.size || disk.get("claim")) {
    if (!(await sendClaim())) return later();
    const batch = nextBatch();
    if (!batch.length) continue;
    flight = batch;
    const { status, answer, clockWasWrong } = await post("/interactions/batch", { interactions: batch.map(forSending) });
    flight = [];
    // A 400 of another's, of a proxy say, is no answer.
    const read = status === 201 || status === 207 || (status === 400 && answer?.errors);
    // Where this clock was wrong, and is right now, what was refused may be taken.
    if (!read || (status !== 201 && clockWasWrong)) return later(status);
    failures = 0;
    const refused = answer?.rejected ? answer.errors : [];
    if (refused.length || status === 400) console.warn("reemio: refused", answer?.errors);
    for (const event of batch) forget(event.event_id);
    tell("sent", { events: batch, status, answer });
  }
  return true;
};

const later = (status) => {
  failures += 1;
  if (status === 401 || status === 403) console.warn("reemio: the key was not accepted.");
  tell("delayed", { waiting: queue.size, failures });
  due = Infinity;
  wake(0);
  return false;
};

/** The page may be gone in a moment: send what is not on its way yet. Until it is answered, all of it stays kept. */
const leave = () => {
  settle();
  if (!allowed() || navigator.onLine === false) return;
  if (!flying) flush();
  const rest = flight.length ? nextBatch() : [];
  if (rest.length) post("/interactions/batch", { interactions: rest.map(forSending) });
};
