"""Exports: the pipeline's own lists in a file that is whole or absent, and that knows nothing of the future."""

import csv
import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Product
from interactions.models import Interaction
from interactions.services.merge import merge_session
from recommendations import popular, selectors
from recommendations.contracts import Placement, Query
from recommendations.learning.folding import fold_fresh
from recommendations.learning.train import train
from recommendations.models import ModelVersion, ServedList
from recommendations.pipeline import recommend
from recommendations.recorder import recorder
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = datetime(2026, 5, 1, tzinfo=UTC)
ISO = MOMENT.isoformat()


@pytest.fixture
def shop() -> ModelVersion:
    """Twelve products, four shoppers and two visits before the moment; the active version knows just that."""
    for number in range(12):
        make_product(f"thing-{number}", axis=number * 3, tilt=number / 20, category=f"Category {number % 4}")
    for number in range(4):
        at = MOMENT - timedelta(days=40 - number)
        for line in (number, number + 1, 7):
            did("purchase", f"thing-{line}", user=f"user-{number}", order=f"order-{number}", at=at)
        did("view", f"thing-{number + 3}", user=f"user-{number}", at=MOMENT - timedelta(days=number, hours=1))
        did("view", f"thing-{number}", session=f"visit-{number % 2}", at=MOMENT - timedelta(hours=number + 1))
    while fold_fresh():
        pass
    return train(as_of=MOMENT)


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., str]:
    """Write lines into a file of cases, export, and return what was written."""

    def run(placement: str, lines: list[str], **options: Any) -> str:
        kind = {"homepage": "users", "cart": "carts"}.get(placement, "products")
        cases = tmp_path / f"{placement}.csv"
        cases.write_text("\n".join(lines) + "\n")
        out = tmp_path / f"{placement}-lists.csv"
        settings = {"as_of": MOMENT, "limit": 5, "out": out, "verbosity": 0, "stdout": StringIO()} | options
        call_command("export_recommendations", placement=placement, **{kind: cases}, **settings)
        return out.read_text()

    return run


Export = Callable[..., str]


def test_a_homepage_export_holds_the_pipelines_own_lists(shop: ModelVersion, export: Export) -> None:
    rows = list(csv.reader(export("homepage", ["user_id", "user-1", "nobody"]).splitlines()))
    assert rows[0] == ["user_id", "rank", "product_id", "score"]
    for user in ("user-1", "nobody"):
        items = recommend(Query(Placement.HOMEPAGE, 5, user_id=user, as_of=MOMENT)).items
        expected = [
            [user, str(rank), one.facts.product_id, f"{one.scored.score:.6f}"] for rank, one in enumerate(items, 1)
        ]
        assert [row for row in rows if row[0] == user] == expected
        assert len(expected) == 5


def test_a_cart_export_groups_lines_wherever_they_stand(shop: ModelVersion, export: Export) -> None:
    lines = ["product_id,cart_id", "thing-1,a", "thing-5,b", "thing-2,a", "unheard-of,b"]
    rows = list(csv.DictReader(export("cart", lines).splitlines()))
    assert list(rows[0]) == ["cart_id", "rank", "product_id", "score"]
    items = recommend(Query(Placement.CART, 5, anchors=("thing-1", "thing-2"), as_of=MOMENT)).items
    assert [row["product_id"] for row in rows if row["cart_id"] == "a"] == [one.facts.product_id for one in items]
    assert [row["cart_id"] for row in rows] == ["a"] * 5 + ["b"] * 5


@pytest.mark.parametrize("placement", ["product", "bought_together"])
def test_a_product_that_nobody_knows_is_counted_and_has_no_list(
    placement: str, shop: ModelVersion, export: Export
) -> None:
    said = StringIO()
    text = export(placement, ["product_id", "thing-1", "unheard-of", "thing-1"], stdout=said)
    assert [line.split(",")[0] for line in text.splitlines()] == ["anchor_id"] + ["thing-1"] * 5
    assert "1 products are not in the catalogue and have no list." in said.getvalue()


def test_purchases_come_back_only_where_they_are_asked_for(shop: ModelVersion, export: Export) -> None:
    did("purchase", "thing-7", user="user-1", order="late", at=MOMENT - timedelta(days=2), fresh=False)
    lines = ["user_id", "user-1"]
    without, included = (export("homepage", lines, limit=12, include_purchased=choice) for choice in (False, True))
    assert (",thing-7," in without, ",thing-7," in included) == (False, True)


def test_an_export_is_not_remembered_as_served(shop: ModelVersion, export: Export) -> None:
    export("homepage", ["user_id", "user-1"])
    recorder.close()
    assert ServedList.objects.count() == 0


def test_a_compressed_file_of_cases_is_understood(shop: ModelVersion, tmp_path: Path) -> None:
    cases, out = tmp_path / "users.csv.gz", tmp_path / "lists.csv"
    cases.write_bytes(gzip.compress(b"\xef\xbb\xbfuser_id\r\nuser-1\r\n"))
    call_command(
        "export_recommendations", placement="homepage", users=cases, as_of=MOMENT, out=out, limit=2, verbosity=0,
        stdout=StringIO(),
    )  # fmt: skip
    assert [line.split(",")[0] for line in out.read_text().splitlines()] == ["user_id", "user-1", "user-1"]


def test_a_version_that_knows_the_future_is_refused_unless_it_is_named(
    shop: ModelVersion, export: Export, tmp_path: Path
) -> None:
    earlier = MOMENT - timedelta(days=1)
    with pytest.raises(CommandError, match=r"is later than 2026-04-30 00:00: its lists would know the future"):
        export("homepage", ["user_id", "user-1"], as_of=earlier)
    assert not (tmp_path / "homepage-lists.csv").exists()
    assert export("homepage", ["user_id", "user-1"], as_of=earlier, model_version=shop.pk).count("\n") == 6
    with pytest.raises(CommandError, match="There is no finished model version 999"):
        export("homepage", ["user_id", "user-1"], model_version=999)


def test_the_version_is_named_on_the_command_line(shop: ModelVersion, tmp_path: Path) -> None:
    cases, out = tmp_path / "users.csv", tmp_path / "lists.csv"
    cases.write_text("user_id\nuser-1\n")
    call_command(
        "export_recommendations", "--placement", "homepage", "--users", str(cases), "--limit", "3", "--as-of", ISO,
        "--out", str(out), "--include-purchased", "--version", str(shop.pk), verbosity=0, stdout=StringIO(),
    )  # fmt: skip
    assert out.read_text().count("\n") == 4


def test_a_failing_export_leaves_the_file_before_it_and_nothing_else(
    shop: ModelVersion, export: Export, tmp_path: Path
) -> None:
    good = export("cart", ["cart_id,product_id", "a,thing-1"])
    for lines, complaint in ((["cart,product_id", "a,thing-1"], "has no column cart_id"), ([""], "has no column")):
        with pytest.raises(CommandError, match=complaint):
            export("cart", lines)
    (tmp_path / "cart.csv").write_bytes(b"cart_id,product_id\na,thing-1\n\xff\xfe,x\n")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command(
            "export_recommendations", placement="cart", carts=tmp_path / "cart.csv", as_of=MOMENT,
            out=tmp_path / "cart-lists.csv", verbosity=0,
        )  # fmt: skip
    assert (tmp_path / "cart-lists.csv").read_text() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cart-lists.csv", "cart.csv"]


def test_a_placement_takes_its_own_kind_of_file_only(shop: ModelVersion, tmp_path: Path) -> None:
    for files in ({}, {"users": tmp_path / "x"}, {"carts": tmp_path / "x", "users": tmp_path / "x"}):
        with pytest.raises(CommandError, match="--placement cart takes --carts FILE"):
            call_command("export_recommendations", placement="cart", out=tmp_path / "o", verbosity=0, **files)
    with pytest.raises(CommandError, match="at least 1"):
        call_command("export_recommendations", placement="cart", carts=tmp_path / "x", out=tmp_path / "o", limit=0)
    assert list(tmp_path.iterdir()) == []


# --- No future in the past -----------------------------------------------------------------------------------------


def exports(export: Export) -> dict[str, str]:
    users = ["user_id", *(f"user-{number}" for number in range(4)), "newcomer"]
    products = ["product_id", *(f"thing-{number}" for number in range(12))]
    carts = ["cart_id,product_id", "a,thing-1", "a,thing-2", "b,thing-7"]
    for forget in (popular.forget, selectors.forget):
        forget()
    return {
        "homepage": export("homepage", users),
        "homepage, purchases included": export("homepage", users, include_purchased=True),
        "product": export("product", products),
        "bought_together": export("bought_together", products),
        "cart": export("cart", carts),
    }


def poison(moment: datetime = MOMENT) -> None:
    """Let much happen after a moment: a rush for one product, newcomers, prices, a visit that became a user's."""
    rush = [
        Interaction(
            interaction_type="purchase",
            user_id=f"user-{number % 4}" if number % 2 else f"rusher-{number}",
            product_id="thing-11",
            order_id=f"rush-{number // 2}",
            occurred_at=moment + timedelta(seconds=number),
            received_at=moment + timedelta(days=number % 60 - 30),
        )
        for number in range(4000)
    ]
    Interaction.objects.bulk_create(rush)
    for number in range(4):
        did("cart_remove", "thing-7", user=f"user-{number}", at=moment)
        did("purchase", f"thing-{number + 3}", user=f"user-{number}", order=f"next-{number}", at=moment)
        did("purchase", "thing-11", user=f"user-{number}", order=f"next-{number}", at=moment)
        did("view", "thing-10", session="later-visit", at=moment + timedelta(hours=number))
    did("purchase", "thing-9", user="newcomer", order="first", at=moment + timedelta(days=1))
    merge_session(user_id="user-0", session_id="later-visit")
    Product.objects.update(price=Decimal("999.00"))
    while fold_fresh():
        pass


def test_nothing_that_happens_later_changes_the_lists_of_a_moment(shop: ModelVersion, export: Export) -> None:
    before = exports(export)
    poison()
    assert exports(export) == before


def test_a_training_for_a_moment_learns_nothing_of_what_came_later(shop: ModelVersion, export: Export) -> None:
    before = exports(export)
    poison()
    again = train(as_of=MOMENT)
    assert again.pk != shop.pk
    assert exports(export) == before


def test_when_the_past_was_received_does_not_matter(shop: ModelVersion, export: Export) -> None:
    before = exports(export)
    Interaction.objects.update(received_at=MOMENT + timedelta(days=90))
    train(as_of=MOMENT)
    assert exports(export) == before


def test_the_same_events_before_the_moment_change_every_list(shop: ModelVersion, export: Export) -> None:
    """So the tests above can fail."""
    before = exports(export)
    poison(MOMENT - timedelta(days=2))
    train(as_of=MOMENT)
    after = exports(export)
    assert [name for name in before if before[name] == after[name]] == []
