"""A catalogue behind the shop's own API: pages of JSON, `{"results": […], "next": url}`."""

import email.utils
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import tenacity
from django.conf import settings

from catalog.rows import FIELDS
from catalog.sources import Page, PageRefusedError, SourceError, SourceRow
from reemio.outgoing import Outgoing, OutgoingError, body_of

LARGEST_PAGE = 32 * 1024 * 1024
LONGEST_PAGE_SECONDS = 300.0
LONGEST_WAIT_SECONDS = 120.0
LONGEST_ADDRESS = 2000
RETRIED_STATUSES = {429, 500, 502, 503, 504}


class _PassingError(Exception):
    """A failure that may have passed on the next try, and how long the server asks to wait."""

    def __init__(self, sentence: str, wait_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.wait_seconds = wait_seconds


class HttpSource:
    """The shop's API at `ECOMMERCE_API_URL`, asked with the bearer token `ECOMMERCE_API_TOKEN`."""

    name = "http"
    knows_changes = True

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take address, token and limits from the settings; `sleep` waits between tries."""
        try:
            self.address = httpx.URL(settings.ECOMMERCE_API_URL)
        except httpx.InvalidURL as error:
            raise SourceError(f"ECOMMERCE_API_URL is not an address: {error}") from error
        if self.address.scheme not in ("http", "https") or not self.address.host:
            raise SourceError("ECOMMERCE_API_URL is not set to an http(s) address.")
        self.location = str(self.address.copy_with(username=None, password=None, query=None, fragment=None))
        self._sleep = sleep

    def pages(self, *, updated_since: datetime | None, resume_at: str) -> Iterator[Page]:
        """Yield page after page as long as each names a next one.

        A next page on another origin is refused (the token would go there), and so is one that was read already.
        """
        url: httpx.URL | None = self._first(updated_since)
        if resume_at:
            url = self._inside(resume_at, self.address)
        seen: set[str] = set()
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if settings.ECOMMERCE_API_TOKEN:
            headers["Authorization"] = f"Bearer {settings.ECOMMERCE_API_TOKEN}"
        transport = Outgoing(seconds=LONGEST_PAGE_SECONDS)
        timeout = settings.ECOMMERCE_TIMEOUT_SECONDS
        with httpx.Client(headers=headers, timeout=timeout, transport=transport) as client:
            while url is not None:
                seen.add(str(url))
                results, following = self._read(client, url)
                url = self._inside(following, url) if following else None
                if url is not None and str(url) in seen:
                    raise SourceError(f"The shop's pages go round in a circle: {_shown(url)} came twice.")
                yield Page(results, resume_at="" if url is None else str(url))

    def _first(self, updated_since: datetime | None) -> httpx.URL:
        if updated_since is None:
            return self.address
        moment = updated_since.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return self.address.copy_merge_params({"updated_since": moment})

    def _inside(self, address: str, current: httpx.URL) -> httpx.URL:
        """Return the absolute form of a next page's address; only this shop's own origin will do."""
        try:
            url = current.join(address)
        except httpx.InvalidURL as error:
            raise SourceError(f"The address of the next page is not one: {error}") from error
        if _origin(url) != _origin(self.address):
            raise SourceError(f"The next page is on another server ({_shown(url)}); it was not asked.")
        if len(str(url)) > LONGEST_ADDRESS:
            raise SourceError("The address of the next page is too long.")
        return url

    def _read(self, client: httpx.Client, url: httpx.URL) -> tuple[list[SourceRow], str]:
        """Return the rows of one page and the address of the next ("": this was the last)."""
        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(settings.ECOMMERCE_MAX_RETRIES + 1),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(_PassingError),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            body = tries(_fetch, client, url)
        except (_PassingError, httpx.HTTPError) as error:
            raise SourceError(f"{_shown(url)}: {error}") from error
        return _understood(body, url)


def _fetch(client: httpx.Client, url: httpx.URL) -> bytes:
    """Return the body at `url`, within the limits of size and time; redirects are not followed."""
    try:
        with client.stream("GET", url) as response:
            if response.status_code in RETRIED_STATUSES:
                raise _PassingError(f"status {response.status_code}", _asked_wait(response))
            if response.status_code != httpx.codes.OK:
                raise PageRefusedError(f"{_shown(url)}: status {response.status_code}")
            return body_of(response, most=LARGEST_PAGE)
    except OutgoingError as error:
        raise SourceError(f"{_shown(url)}: {error}") from error
    except httpx.TransportError as error:
        raise _PassingError(f"{type(error).__name__}: {error}") from error


def _understood(body: bytes, url: httpx.URL) -> tuple[list[SourceRow], str]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{_shown(url)}: not JSON: {error}") from error
    results = document.get("results") if isinstance(document, dict) else None
    following = document.get("next") if isinstance(document, dict) else None
    if not isinstance(results, list) or not (following is None or isinstance(following, str)):
        raise SourceError(f'{_shown(url)}: not {{"results": […], "next": url or null}}')
    rows = [_row(value, f"{_shown(url)} result {number}") for number, value in enumerate(results, start=1)]
    return rows, following or ""


def _row(value: Any, place: str) -> SourceRow:
    if not isinstance(value, dict):
        return SourceRow(place, None, "not a JSON object")
    names = cast("Mapping[str, str]", settings.ECOMMERCE_FIELD_MAP)
    return SourceRow(place, {name: _at(value, names.get(name, name)) for name in FIELDS})


def _at(value: Any, path: str) -> Any:
    """Return what `path` names in `value`: a key, or keys with dots between them; None where there is nothing."""
    if isinstance(value, dict) and path in value:
        return value[path]
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait as long as the server asked, within reason, or twice as long each time, with a little chance in it."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _PassingError) and error.wait_seconds is not None:
        return min(error.wait_seconds, LONGEST_WAIT_SECONDS)
    return float(tenacity.wait_exponential_jitter(initial=1, max=60)(state))


def _asked_wait(response: httpx.Response) -> float | None:
    """Return the seconds of a `Retry-After`, be it a number or a date."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        moment = email.utils.parsedate_to_datetime(asked)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _shown(url: httpx.URL) -> str:
    """Return the address without what may be a secret in it."""
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))
