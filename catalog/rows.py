"""One product as a source or a push describes it, and how a loose row of a file or a shop's API becomes one."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

from catalog.models import CATEGORY_SEPARATOR

FIELDS = (
    "product_id", "title", "description", "category", "brand", "price", "currency", "image_url", "url",
    "stock_quantity", "is_active", "attributes",
)  # fmt: skip
LONGEST = {
    "product_id": 128,
    "title": 500,
    "category": 500,
    "brand": 200,
    "currency": 3,
    "image_url": 2000,
    "url": 2000,
}
LONGEST_DESCRIPTION = 20_000
LARGEST_STOCK = 2_147_483_647
DEAREST = Decimal("9999999999.99")
MOST_ATTRIBUTE_BYTES = 16 * 1024
DEEPEST_ATTRIBUTES = 32
YES = {"true", "t", "yes", "y", "1"}
NO = {"false", "f", "no", "n", "0"}
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ProductRow:
    """All that the mirror holds of a product. The category's path and the currency are in their one spelling."""

    product_id: str
    title: str
    description: str = ""
    category: str = ""
    brand: str = ""
    price: Decimal | None = None
    currency: str = ""
    image_url: str = ""
    url: str = ""
    stock_quantity: int | None = None
    is_active: bool = True
    attributes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Spell the category's path as everybody does, and name the currency of a price that came without one."""
        object.__setattr__(self, "category", tidy_category(self.category))
        if self.price is not None and not self.currency:
            object.__setattr__(self, "currency", settings.REEMIO_DEFAULT_CURRENCY)


class RowRefusedError(ValueError):
    """A row that cannot be mirrored; its text is the reason, in words for the shop."""


def tidy_category(path: str) -> str:
    """Return the path with exactly one space on either side of each `>`, and without empty steps."""
    return CATEGORY_SEPARATOR.join(step.strip() for step in path.split(">") if step.strip())


def read_row(raw: Mapping[str, Any]) -> ProductRow:
    """Return the product that `raw` describes, in strings (CSV) or JSON values; unknown keys are left alone.

    Empty means not given: no price, a stock that is not tracked, active. Raises `RowRefusedError`.
    """
    product_id = _text(raw, "product_id", strip=False)
    title = _text(raw, "title")
    if not product_id:
        raise RowRefusedError("product_id: missing")
    if not title:
        raise RowRefusedError("title: missing")
    return ProductRow(
        product_id=product_id,
        title=title,
        description=_text(raw, "description"),
        category=_category(raw),
        brand=_text(raw, "brand"),
        price=_price(raw.get("price")),
        currency=_currency(raw),
        image_url=_text(raw, "image_url"),
        url=_text(raw, "url"),
        stock_quantity=_stock(raw.get("stock_quantity")),
        is_active=_flag(raw.get("is_active")),
        attributes=_attributes(raw.get("attributes")),
    )


def readable_id(raw: Mapping[str, Any]) -> str:
    """Return the product id of a row that was refused for another reason, or "" where it has none that can be read."""
    try:
        return _text(raw, "product_id", strip=False)
    except RowRefusedError:
        return ""


def check_attributes(value: Any) -> str | None:
    """Return why `value` cannot be stored as attributes, or None where it can."""
    if not isinstance(value, dict):
        return "not an object"
    if not _storable(value, DEEPEST_ATTRIBUTES):
        return "nested too deeply, or holds a number or a character that cannot be stored"
    if len(json.dumps(value).encode()) > MOST_ATTRIBUTE_BYTES:
        return f"larger than {MOST_ATTRIBUTE_BYTES} bytes"
    return None


def _storable(value: Any, depth: int) -> bool:
    """Tell whether PostgreSQL's jsonb takes `value`: no NUL, no lone surrogate, no infinite number, not too deep."""
    if depth < 0:
        return False
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return value.bit_length() <= 1024
    if isinstance(value, dict):
        return all(_is_text(key) and _storable(inner, depth - 1) for key, inner in value.items())
    if isinstance(value, list):
        return all(_storable(inner, depth - 1) for inner in value)
    return value is None


def _is_text(value: str) -> bool:
    return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _text(raw: Mapping[str, Any], name: str, *, strip: bool = True) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise RowRefusedError(f"{name}: not a text")
    if not _is_text(value):
        raise RowRefusedError(f"{name}: contains characters that are not valid text")
    value = value.strip() if strip else value
    if len(value) > LONGEST.get(name, LONGEST_DESCRIPTION):
        raise RowRefusedError(f"{name}: longer than {LONGEST.get(name, LONGEST_DESCRIPTION)} characters")
    return value


def _category(raw: Mapping[str, Any]) -> str:
    value = raw.get("category")
    if isinstance(value, list) and all(isinstance(step, str) for step in value):
        return _text({"category": CATEGORY_SEPARATOR.join(value)}, "category")
    return _text(raw, "category")


def _currency(raw: Mapping[str, Any]) -> str:
    code = _text(raw, "currency").upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise RowRefusedError(f"currency: not a code of three letters: {code!r}")
    return code


def _price(value: Any) -> Decimal | None:
    number = _number(value, "price")
    if number is None:
        return None
    if not 0 <= number <= DEAREST:
        raise RowRefusedError(f"price: out of range: {str(value)[:40]!r}")
    if number != number.quantize(CENT):
        raise RowRefusedError(f"price: more than two decimals: {str(value)[:40]!r}")
    return number.quantize(CENT)


def _stock(value: Any) -> int | None:
    number = _number(value, "stock_quantity")
    if number is None:
        return None
    if not 0 <= number <= LARGEST_STOCK or number != int(number):
        raise RowRefusedError(f"stock_quantity: not a whole number of 0 or more: {str(value)[:40]!r}")
    return int(number)


def _number(value: Any, name: str) -> Decimal | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise RowRefusedError(f"{name}: not a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise RowRefusedError(f"{name}: not a number: {str(value)[:40]!r}")
    return number


def _flag(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    word = str(value).strip().lower()
    if word in YES or not word:
        return True
    if word in NO:
        return False
    raise RowRefusedError(f"is_active: neither true nor false: {str(value)[:40]!r}")


def _attributes(value: Any) -> dict[str, Any]:
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise RowRefusedError("attributes: not valid JSON") from None
    reason = check_attributes(value)
    if reason:
        raise RowRefusedError(f"attributes: {reason}")
    return dict(value)
