"""A row of a file or of a shop's API becomes a product, or is refused with a reason."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.rows import ProductRow, RowRefusedError, read_row


def test_only_id_and_title_are_needed() -> None:
    assert read_row({"product_id": "a", "title": "Lamp"}) == ProductRow("a", "Lamp")


def test_empty_cells_mean_not_given() -> None:
    cells = {"price": "", "currency": "", "stock_quantity": " ", "is_active": "", "attributes": "", "category": ""}
    row = read_row({"product_id": "a", "title": "Lamp", **cells})
    assert (row.price, row.currency, row.stock_quantity, row.is_active, row.attributes) == (None, "", None, True, {})


def test_texts_become_numbers_and_flags() -> None:
    cells = {"price": "19.9", "currency": "gbp", "stock_quantity": "7", "is_active": "No", "attributes": '{"a": 1}'}
    row = read_row({"product_id": 12, "title": " Lamp ", "category": "Home>  Light > ", **cells})
    assert row == ProductRow(
        product_id="12", title="Lamp", category="Home > Light", price=Decimal("19.90"), currency="GBP",
        stock_quantity=7, is_active=False, attributes={"a": 1},
    )  # fmt: skip


def test_a_price_without_a_currency_is_in_the_shops_own() -> None:
    assert read_row({"product_id": "a", "title": "Lamp", "price": 1}).currency == "USD"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"product_id": ""}, "product_id: missing"),
        ({"product_id": "x" * 129}, "product_id: longer than 128 characters"),
        ({"title": "  "}, "title: missing"),
        ({"title": "a\x00b"}, "title: contains characters that are not valid text"),
        ({"title": "a\udc80"}, "title: contains characters that are not valid text"),
        ({"title": ["a"]}, "title: not a text"),
        ({"price": "abc"}, "price: not a number: 'abc'"),
        ({"price": "NaN"}, "price: not a number: 'NaN'"),
        ({"price": "-1"}, "price: out of range: '-1'"),
        ({"price": "1e99"}, "price: out of range: '1e99'"),
        ({"price": "1.999"}, "price: more than two decimals: '1.999'"),
        ({"price": True}, "price: not a number"),
        ({"currency": "dollar"}, "currency: longer than 3 characters"),
        ({"currency": "€"}, "currency: not a code of three letters: '€'"),
        ({"stock_quantity": "1.5"}, "stock_quantity: not a whole number of 0 or more: '1.5'"),
        ({"stock_quantity": -1}, "stock_quantity: not a whole number of 0 or more: '-1'"),
        ({"stock_quantity": 2**31}, "stock_quantity: not a whole number of 0 or more: '2147483648'"),
        ({"is_active": "maybe"}, "is_active: neither true nor false: 'maybe'"),
        ({"attributes": "{"}, "attributes: not valid JSON"),
        ({"attributes": [1]}, "attributes: not an object"),
        ({"attributes": {"a": "\x00"}}, "attributes: nested too deeply, or holds a number"),
        ({"attributes": {"a": 1e999}}, "attributes: nested too deeply, or holds a number"),
        ({"attributes": {"a": "x" * 17000}}, "attributes: larger than 16384 bytes"),
    ],
)  # fmt: skip
def test_what_cannot_be_mirrored_is_refused_with_the_reason(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(RowRefusedError) as refused:
        read_row({"product_id": "a", "title": "Lamp", **fields})
    assert str(refused.value).startswith(reason)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5
)
NAMES = ["product_id", "title", "category", "price", "currency", "stock_quantity", "is_active", "attributes", "url"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_json_is_read_or_refused_and_never_breaks(fields: dict[str, object]) -> None:
    try:
        row = read_row(fields)
    except RowRefusedError:
        return
    assert 1 <= len(row.product_id) <= 128
    assert 1 <= len(row.title) <= 500
    assert row.price is None or Decimal(0) <= row.price <= Decimal("9999999999.99")
