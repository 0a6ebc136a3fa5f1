"""The contract of a refund, checked: what came back of an order, told over HTTP or through the inbox."""

from datetime import datetime
from typing import Any

from interactions.events import NewRefund, Problem, RefusedError
from interactions.validation import (
    LARGEST_INTEGER,
    LONGEST_EVENT_ID,
    LONGEST_ID,
    read_moment,
    wrong_number,
    wrong_text,
)

MOST_LINES = 1000


def read_refund(data: object, *, order_id: Any, now: datetime) -> NewRefund:
    """Return the refund of an order that `data`, parsed JSON, describes; raise `RefusedError` with all that is wrong.

    Without `lines` the whole order came back. With lines a `refund_id` is needed, as two refunds of one piece each
    could not be told from one that was sent twice. Lines about one product are added up; one without a quantity is
    all of it.
    """
    if not isinstance(data, dict):
        raise RefusedError([Problem("invalid", "A refund is a JSON object.", None)])
    wrong: list[Problem] = []
    _check_text(order_id, LONGEST_ID, "order_id", wrong)
    refund_id, lines = data.get("refund_id"), data.get("lines")
    if refund_id is not None:
        _check_text(refund_id, LONGEST_EVENT_ID, "refund_id", wrong)
    elif lines is not None:
        wrong.append(Problem("required", "A refund of some lines needs an id of its own.", "refund_id"))
    kept = _read_lines(lines, wrong) if lines is not None else {}
    occurred_at = read_moment(data.get("occurred_at"), now, wrong)
    if wrong:
        raise RefusedError(wrong)
    return NewRefund(order_id, refund_id or "", kept, occurred_at)


def _read_lines(lines: object, wrong: list[Problem]) -> dict[str, int]:
    """Return the quantity of each product; 0 means all of it."""
    if not isinstance(lines, list) or not 1 <= len(lines) <= MOST_LINES:
        wrong.append(Problem("invalid", f"Not a list of 1 to {MOST_LINES} lines.", "lines"))
        return {}
    kept: dict[str, int] = {}
    for index, line in enumerate(lines):
        if not isinstance(line, dict):
            wrong.append(Problem("invalid", "A line is a JSON object.", f"lines.{index}"))
            continue
        product_id: Any = line.get("product_id")
        quantity: Any = line.get("quantity")
        is_named = _check_text(product_id, LONGEST_ID, f"lines.{index}.product_id", wrong)
        problem = None if quantity is None else wrong_number(quantity, 1, LARGEST_INTEGER)
        if problem is not None:
            wrong.append(Problem(*problem, f"lines.{index}.quantity"))
        elif is_named:
            kept[product_id] = _together(kept.get(product_id), quantity or 0)
    return kept


def _together(known: int | None, more: int) -> int:
    """Add two quantities, of which 0 means all."""
    if known is None:
        return more
    return min(known + more, LARGEST_INTEGER) if known and more else 0


def _check_text(value: Any, longest: int, name: str, wrong: list[Problem]) -> bool:
    if value is None:
        wrong.append(Problem("required", "This field is required.", name))
        return False
    problem = wrong_text(value, longest)
    if problem is not None:
        wrong.append(Problem(*problem, name))
    return problem is None
