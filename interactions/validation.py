"""The contract of an event, checked in one pass.

The HTTP endpoints, the inbox and the import all read events here. It is written by hand because a DRF serializer
takes longer over a batch of 1,000 than the whole request may. `interactions.schema` declares the same contract as
JSON Schema, and a property test holds the two together.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from interactions.events import NewInteraction, Problem, RefusedError
from interactions.models import InteractionType, RecommendationContext

LONGEST_ID = 128
LONGEST_EVENT_ID = 64
LONGEST_QUERY = 500
LARGEST_EXTRA_DATA = 16 * 1024
LONGEST_TIME = 40
LARGEST_INTEGER = 2_147_483_647
LARGEST_PRICE = 999_999_999.99
FARTHEST_AHEAD = timedelta(hours=24)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
DEVICES = ("desktop", "mobile", "tablet")
# Checked keys of extra_data that hold a whole number, with their largest value (None: any).
EXTRA_NUMBERS: dict[str, int | None] = {
    "timeOnPageSeconds": 86_400,
    "sessionDurationSeconds": 604_800,
    "scrollDepthPercent": 100,
    "resultsCount": None,
}

_KINDS = {kind.value: kind.value for kind in InteractionType}
_CONTEXTS = {context.value for context in RecommendationContext}
_SEARCH = InteractionType.SEARCH.value
_ATTRIBUTED = {InteractionType.RECOMMENDATION_VIEW.value, InteractionType.RECOMMENDATION_CLICK.value}
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PRICE = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}")
# JSON writes NUL as an escape, which must not be confused with an escaped backslash before "u0000".
_NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_CENT = Decimal("0.01")
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode  # parsed JSON has no circles

_REQUIRED = "This field is required."
_UNSTORABLE = "Contains characters that are not valid text."
_NO_PERSON = "Name the user_id, the session_id, or both."


def read_interaction(data: object, *, now: datetime) -> NewInteraction:
    """Return the event that `data`, parsed JSON, describes; raise `RefusedError` with everything that is wrong.

    `now` is aware: it is the default of `occurred_at`, which may lie at most 24 hours after it. Fields that the
    contract does not know are ignored, and null means absent.
    """
    if not isinstance(data, dict):
        raise RefusedError([Problem("invalid", "An event is a JSON object.", None)])
    wrong: list[Problem] = []
    kind = _kind(data.get("interaction_type"), wrong)
    extra = _extra_data(data.get("extra_data"), wrong)
    user_id = _text(data, "user_id", LONGEST_ID, wrong)
    session_id = _text(data, "session_id", LONGEST_ID, wrong)
    if session_id is None and data.get("session_id") is None:
        session_id = extra.get("sessionId")
    product_id = _text(data, "product_id", LONGEST_ID, wrong)
    query = _text(data, "search_query", LONGEST_QUERY, wrong)
    request_id = _request_id(data.get("recommendation_request_id"), wrong)
    event = NewInteraction(
        kind,
        read_moment(data.get("occurred_at"), now, wrong),
        user_id,
        session_id,
        product_id,
        _text(data, "event_id", LONGEST_EVENT_ID, wrong),
        _count(data, "quantity", wrong),
        _unit_price(data.get("unit_price"), wrong),
        _currency(data.get("currency"), wrong),
        _text(data, "order_id", LONGEST_ID, wrong),
        _context(data.get("recommendation_context"), wrong),
        _count(data, "recommendation_position", wrong),
        request_id,
        query or "",
        extra,
    )
    if user_id is None and session_id is None:
        _miss_person(data, wrong)
    if kind == _SEARCH:
        _need(data, "search_query", wrong)
        if data.get("product_id") is not None:
            wrong.append(Problem("not_allowed", "A search is about no product.", "product_id"))
    else:
        if product_id is None and kind:
            _need(data, "product_id", wrong)
        if request_id is None and kind in _ATTRIBUTED:
            _need(data, "recommendation_request_id", wrong)
    if wrong:
        raise RefusedError(wrong)
    return event


def _need(data: dict[str, Any], name: str, wrong: list[Problem]) -> None:
    """Note a missing field; one that is there and wrong has its problem already."""
    if data.get(name) is None:
        wrong.append(Problem("required", _REQUIRED, name))


def _miss_person(data: dict[str, Any], wrong: list[Problem]) -> None:
    """Note that nobody is named, unless the naming itself went wrong."""
    said = {problem.attr for problem in wrong}
    if not said & {"user_id", "session_id", "extra_data.sessionId"}:
        wrong.append(Problem("required", _NO_PERSON, "user_id"))


def _text(data: dict[str, Any], name: str, longest: int, wrong: list[Problem]) -> str | None:
    value = data.get(name)
    if value is None:
        return None
    problem = wrong_text(value, longest)
    if problem is None:
        return value  # type: ignore[no-any-return]  # `wrong_text` has seen that it is a string
    wrong.append(Problem(*problem, name))
    return None


def wrong_text(value: object, longest: int) -> tuple[str, str] | None:
    """Say what keeps `value` from being a storable text of 1 to `longest` characters, or None."""
    if not isinstance(value, str):
        return "invalid", "Not a valid string."
    if not value:
        return "blank", "This field may not be blank."
    if len(value) > longest:
        return "max_length", f"Ensure this field has no more than {longest} characters."
    if "\x00" in value or not (value.isascii() or _encodes(value)):
        return "unstorable", _UNSTORABLE
    return None


def _encodes(value: str) -> bool:
    """Tell whether PostgreSQL could store `value`: a lone surrogate cannot be encoded."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object, wrong: list[Problem]) -> str:
    if isinstance(value, str):
        kind = _KINDS.get(value) or (_KINDS.get(value.lower()) if value.isascii() else None)
        if kind is not None:
            return kind
    if value is None:
        wrong.append(Problem("required", _REQUIRED, "interaction_type"))
    else:
        known = ", ".join(_KINDS)
        wrong.append(Problem("invalid_choice", f"Not an interaction type; they are {known}.", "interaction_type"))
    return ""


def read_moment(value: object, now: datetime, wrong: list[Problem]) -> datetime:
    """Return `occurred_at`, now where it is absent; note what is wrong with it."""
    if value is None:
        return now
    moment = _moment(value) if isinstance(value, str) else None
    if moment is None:
        wrong.append(Problem("invalid", "Not an ISO 8601 time.", "occurred_at"))
    elif moment < EARLIEST:
        wrong.append(Problem("min_value", "Lies before 1970.", "occurred_at"))
    elif moment > now + FARTHEST_AHEAD:
        wrong.append(Problem("max_value", "Lies more than 24 hours ahead.", "occurred_at"))
    else:
        return moment
    return now


# The lines of an order and the events of a batch share their times.
@lru_cache(maxsize=4096)
def _moment(value: str) -> datetime | None:
    if len(value) > LONGEST_TIME or _TIME.fullmatch(value) is None:
        return None
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _count(data: dict[str, Any], name: str, wrong: list[Problem]) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    problem = wrong_number(value, 1, LARGEST_INTEGER)
    if problem is None:
        return int(value)
    wrong.append(Problem(*problem, name))
    return None


def wrong_number(value: object, lowest: int, highest: int | None) -> tuple[str, str] | None:
    """Return the code and detail of what is wrong with a whole number within bounds; None where nothing is."""
    """Say what keeps `value` from being a JSON integer (1.0 is one) within the bounds, or None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return "invalid", "A valid integer is required."
    if value < lowest:
        return "min_value", f"Ensure this value is greater than or equal to {lowest}."
    if highest is not None and value > highest:
        return "max_value", f"Ensure this value is less than or equal to {highest}."
    return None


def _unit_price(value: object, wrong: list[Problem]) -> Decimal | None:
    """Read an amount, a JSON number or a decimal string, and round it to cents."""
    if value is None:
        return None
    if isinstance(value, str) and _PRICE.fullmatch(value):
        amount = Decimal(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= LARGEST_PRICE:
            wrong.append(Problem("invalid", f"Not between 0 and {LARGEST_PRICE}.", "unit_price"))
            return None
        amount = Decimal(repr(value))
    else:
        wrong.append(Problem("invalid", "A valid number is required.", "unit_price"))
        return None
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _currency(value: object, wrong: list[Problem]) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and _CURRENCY.fullmatch(value):
        return value.upper()
    wrong.append(Problem("invalid", "Not a currency code of three letters.", "currency"))
    return ""


def _context(value: object, wrong: list[Problem]) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and value in _CONTEXTS:
        return value
    known = ", ".join(RecommendationContext.values)
    wrong.append(Problem("invalid_choice", f"Not one of {known}.", "recommendation_context"))
    return ""


def _request_id(value: object, wrong: list[Problem]) -> UUID | None:
    if value is None:
        return None
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    wrong.append(Problem("invalid", "Must be a valid UUID.", "recommendation_request_id"))
    return None


def _extra_data(value: object, wrong: list[Problem]) -> dict[str, Any]:
    if not value and (value is None or isinstance(value, dict)):
        return {}
    if not isinstance(value, dict):
        wrong.append(Problem("invalid", "Not a JSON object.", "extra_data"))
        return {}
    problem = wrong_object(value)
    if problem is not None:
        wrong.append(Problem(*problem, "extra_data"))
        return {}
    before = len(wrong)
    _check_extra_keys(value, wrong)
    return value if len(wrong) == before else {}


def wrong_object(value: dict[str, Any]) -> tuple[str, str] | None:
    """Say what keeps a JSON object from being stored as `jsonb` of at most 16 KiB (compact UTF-8), or None."""
    try:
        text = _encode(value)
        size = len(text.encode())
    except (ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
        return "unstorable", "Contains numbers or characters that JSON cannot hold, or is nested too deeply."
    if size > LARGEST_EXTRA_DATA:
        return "max_length", f"Ensure this object has no more than {LARGEST_EXTRA_DATA} bytes."
    if "\\u0000" in text and _NUL_ESCAPE.search(text):
        return "unstorable", _UNSTORABLE
    return None


def _check_extra_keys(extra: dict[str, Any], wrong: list[Problem]) -> None:
    for name, highest in EXTRA_NUMBERS.items():
        value = extra.get(name)
        if value is not None and (problem := wrong_number(value, 0, highest)):
            wrong.append(Problem(*problem, f"extra_data.{name}"))
    device = extra.get("device")
    if device is not None and device not in DEVICES:
        wrong.append(Problem("invalid_choice", f"Not one of {', '.join(DEVICES)}.", "extra_data.device"))
    filters = extra.get("filters")
    if filters is not None and not isinstance(filters, dict):
        wrong.append(Problem("invalid", "Not a JSON object.", "extra_data.filters"))
    session_id = extra.get("sessionId")
    if session_id is not None and (problem := wrong_text(session_id, LONGEST_ID)):
        wrong.append(Problem(*problem, "extra_data.sessionId"))
