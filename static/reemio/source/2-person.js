// Who it is, and whether they may be remembered: consent, session, identify.

/** true: may store and send; false: may not; null: nobody has been asked yet, so events wait in memory. */
const allowed = () => {
  const said = disk.get("consent");
  if (typeof said === "boolean") return said;
  if (navigator.doNotTrack === "1" || navigator.globalPrivacyControl) return false;
  return settings.consent === "required" ? null : true;
};

const COOKIE = "reemio_session";
let session = null;

/** The session's id: first-party, in a cookie, so that the shop's own server can read it, too. */
const sessionId = () => {
  if (!allowed()) return null;
  if (session) return session;
  session = document.cookie.match(/(?:^|; )reemio_session=([\w-]{8,128})(?:;|$)/)?.[1] ?? newId().replaceAll("-", "");
  const days = Number(settings.sessionDays ?? 30);
  writeCookie(session, days ? `;max-age=${days * 86400}` : "");
  return session;
};

const writeCookie = (value, lifetime) => {
  const domain = settings.cookieDomain ? `;domain=${settings.cookieDomain}` : "";
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `${COOKIE}=${value};path=/;samesite=lax${domain}${secure}${lifetime}`;
};

const person = () => {
  const [user_id, session_id] = [disk.get("user"), sessionId()];
  return { ...(user_id && { user_id }), ...(session_id && { session_id }) };
};

/** From here on this is that shopper, and what the session did before is theirs. Call it whenever you know who it is. */
const identify = (userId, token) => {
  const id = String(userId ?? "");
  const before = disk.get("user");
  if (before && before !== id) reset();
  const may = allowed();
  if (may === null) Object.assign(settings, { user: id, userToken: token }); // for when consent is given
  if (!id || !may) return undefined;
  disk.set("user", id);
  const claim = `${sessionId()} ${id}`;
  if (disk.get("claimed") !== claim) disk.set("claim", { user_id: id, session_id: sessionId(), ...(token && { token }) });
  return flush();
};

/** Nobody is logged in any more: forget the shopper, and begin a new session. */
const reset = () => {
  settle();
  for (const name of ["user", "claim", "claimed", "leads", "visit"]) disk.drop(name);
  session = null;
  writeCookie("", ";max-age=0");
};

/** Ask Reemio to merge the session into the user. Answers false where to ask again. */
const sendClaim = async () => {
  const claim = disk.get("claim");
  if (!claim) return true;
  const { status } = await post("/interactions/identify", claim);
  if (status === 409) {
    // The session is somebody else's: the shop forgot to `reset()`. This shopper gets one of their own.
    const user = disk.get("user");
    reset();
    disk.set("user", user);
  } else if (status !== 200) {
    if (![400, 403, 404].includes(status)) return false;
    console.warn("reemio: the session was not merged; see “identify” in docs/tracker.md.");
  }
  disk.drop("claim");
  disk.set("claimed", `${claim.session_id} ${claim.user_id}`);
  tell("identified", { ...claim, status });
  return true;
};

const consent = (given) => {
  if (given) {
    disk.set("consent", true);
    for (const [type, fields, at] of undecided.splice(0)) {
      const event = makeEvent(type, fields);
      if (event) put({ ...event, at });
    }
    begin();
    return;
  }
  open = null;
  undecided.length = 0;
  for (const name of disk.names("")) disk.drop(name);
  queue.clear();
  session = null;
  writeCookie("", ";max-age=0");
  disk.set("consent", false);
};
