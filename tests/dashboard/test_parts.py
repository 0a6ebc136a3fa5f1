"""Filters, tiles, cells and CSV files, without a page around them."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from analytics import narrowing
from analytics.definitions import rate
from analytics.mailing import Mailed
from analytics.pages import email
from analytics.pages.cells import Column, cell, csv_values, harmless
from analytics.pages.csv import csv_response
from analytics.pages.filters import DEVICES, EVENTS, PLACEMENTS, STRATEGIES, parse
from analytics.pages.formats import day, money, percent, span
from analytics.pages.parts import Chart, Series, Tile
from analytics.pages.tables import Order, Table, currency_of
from analytics.pages.tiles import tiles
from analytics.performance import Figures
from analytics.periods import Period
from analytics.templatetags.dashboard import spark_points
from campaigns.gate import REASONS
from interactions.models import InteractionType

NOON = "2026-03-10T12:00:00Z"


@time_machine.travel(NOON)
def test_without_a_wish_the_last_28_days_are_compared_with_those_before() -> None:
    filters = parse({})
    assert filters.period == Period(date(2026, 2, 11), date(2026, 3, 10))
    assert filters.before == Period(date(2026, 1, 14), date(2026, 2, 10))
    assert (filters.preset, filters.compare, filters.complaints) == (28, True, ())


@time_machine.travel(NOON)
def test_two_dates_make_a_period_of_their_own() -> None:
    filters = parse({"from": "2026-03-01", "to": "2026-03-03", "days": "90"})
    assert (filters.period, filters.days, filters.preset) == (Period(date(2026, 3, 1), date(2026, 3, 3)), 3, None)
    assert str(filters) == "01 Mar 2026 to 03 Mar 2026"


@given(
    st.dictionaries(st.sampled_from(["from", "to", "days", "compare", "placement", "strategy", "device"]), st.text())
)
def test_no_address_is_too_strange(parameters: dict[str, str]) -> None:
    filters = parse(parameters)
    assert filters.period.first <= filters.period.last
    assert filters.days <= 365
    assert filters.placement in ("", parameters.get("placement"))


def test_a_filters_query_keeps_the_rest() -> None:
    assert parse({"days": "7", "device": "mobile"}).query(days="90", device="") == "days=90"


@pytest.mark.parametrize(
    ("value", "before", "better", "text", "verdict"),
    [
        (110, 100, "up", "▲ 10 %", "good"),
        (90, 100, "up", "▼ 10 %", "bad"),
        (0.2, 0.1, "down", "▲ 100 %", "bad"),
        (100.2, 100, "up", "unchanged", "flat"),
        (1300, 100, "up", "▲ 13-fold", "good"),
        (5, 0, "up", "", "flat"),
        (5, None, "up", "", "flat"),
        (None, 5, "up", "", "flat"),
    ],
)
def test_a_tile_tells_its_change(value: object, before: object, better: str, text: str, verdict: str) -> None:
    tile = Tile("x", value, before=before, better=better)  # type: ignore[arg-type]  # one of three words
    assert (tile.change_text, tile.verdict) == (text, verdict)


def test_amounts_and_shares_are_written_for_people() -> None:
    assert (money(Decimal("12.5"), "EUR"), money(Decimal(12345), "EUR")) == ("12.50 EUR", "12,345 EUR")
    assert (percent(0.0312), percent(0.0012), percent(0.0), percent(1.0)) == ("3.1 %", "0.12 %", "0.0 %", "100 %")
    assert (span(59), span(60), span(7200), span(86_400)) == ("59 seconds", "1 minute", "2 hours", "1 day")


def test_a_rate_of_few_cases_is_thin_and_tells_its_interval() -> None:
    drawn = cell(Column("r", "Rate", "rate"), {"r": rate(3, 50)})
    assert (drawn.text, drawn.thin) == ("6.0 %", True)
    assert drawn.note == "3 of 50; 95 % interval 2.1 % to 16.2 %; too few to rely on"
    assert not cell(Column("r", "Rate", "rate"), {"r": rate(6, 100)}).thin


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_calculate_is_disarmed(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert csv_values(Column("t", "Text"), {"t": text}) == [f"'{text}"]
    assert csv_values(Column("t", "P", "product"), {"product_id": text, "title": text}) == [f"'{text}"] * 2


def test_figures_stay_figures_in_a_file() -> None:
    assert csv_values(Column("n", "N", "number"), {"n": -3}) == ["-3"]
    assert csv_values(Column("r", "R", "rate"), {"r": rate(0, 0)}) == ["", "", ""]


def test_a_file_has_every_row_in_the_asked_order() -> None:
    rows = [{"name": f"n{place}", "count": place} for place in range(120)]
    table = Table("t", "T", (Column("name", "Name"), Column("count", "Count", "number")), lambda most: rows, shown=50)
    response = csv_response(table, order=Order("count"), name="t")
    text = b"".join(response.streaming_content).decode()  # type: ignore[arg-type]  # bytes
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert (len(lines), lines[0], lines[1], lines[-1]) == (121, ["name", "count"], ["n119", "119"], ["n0", "0"])


def test_rows_without_a_value_come_last_whichever_the_order() -> None:
    rows = [{"r": rate(0, 0)}, {"r": rate(1, 2)}, {"r": rate(2, 2)}]
    table = Table("t", "T", (Column("r", "R", "rate"),), lambda most: rows)
    falling, rising = table.rows(Order("r")), table.rows(Order("r", descending=False))
    assert [row["r"].value for row in falling] == [1.0, 0.5, None]
    assert [row["r"].value for row in rising] == [0.5, 1.0, None]


def test_a_sparkline_spans_its_box_and_none_is_drawn_of_nothing() -> None:
    assert spark_points([0, 10]) == "0.0,30.0 120.0,2.0"
    assert spark_points([0, 0, 0]) == spark_points([3]) == ""


def test_a_column_of_amounts_names_its_currency_once_and_writes_all_of_them_alike() -> None:
    column, rows = Column("revenue", "Revenue", "money"), [{"revenue": Decimal("1794.4"), "currency": "KES"}]
    assert currency_of([*rows, {"revenue": None}]) == "KES"
    assert cell(column, rows[0], currency="KES").text == "1,794.40"
    assert currency_of([*rows, {"currency": "USD"}]) == ""
    assert cell(column, rows[0]).text == "1,794 KES"


def test_a_day_is_written_with_its_weekday_and_stays_a_date_in_a_file() -> None:
    column, row = Column("day", "Day", "day"), {"day": date(2026, 3, 7)}
    assert (day(row["day"]), cell(column, row).text) == ("Sat 7 Mar 2026", "Sat 7 Mar 2026")
    assert csv_values(column, row) == ["2026-03-07"]


@pytest.mark.parametrize(
    ("clicks", "chance", "verdict"), [(60, True, "flat"), (100, False, "good"), (20, False, "bad")]
)
def test_a_rate_that_moved_within_chance_is_neither_good_nor_bad(clicks: int, chance: bool, verdict: str) -> None:
    before, now = Figures(impressions=1000, clicks=50), Figures(impressions=1000, clicks=clicks)
    period = Period(date(2026, 3, 1), date(2026, 3, 1))
    tile = next(one for one in tiles(now, before, {}, period) if one.measure == "click_through_rate")
    assert (tile.may_be_chance, tile.verdict) == (chance, verdict)


def test_a_chart_of_money_writes_its_currency() -> None:
    chart = Chart("c", "C", "", ["1 Mar"], [Series("Direct", [Decimal("2.5")])], unit="money", currency="KES")
    assert (chart.rows, chart.data["currency"]) == ([("1 Mar", ["2.50 KES"])], "KES")


def test_every_kind_of_event_and_every_reason_against_a_mail_has_words_of_its_own() -> None:
    assert set(EVENTS) == {kind.value for kind in InteractionType}
    assert set(email.REASONS) == set(REASONS)


@pytest.mark.parametrize(
    ("occasion", "said"),
    [
        ("2026-W07", "week 7 of 2026"),
        ("by hand 2026-03-10T12:00:00.211+00:00", "by hand, 10 Mar 2026, 12:00"),
        ("2026-03-10", "2026-03-10"),
        ("1:a-lamp", "1:a-lamp"),
        ("by hand", "by hand"),
    ],
)
def test_a_run_is_told_by_its_occasion(occasion: str, said: str) -> None:
    assert email.run_in_words(occasion) == said


def test_mails_that_nothing_became_of_wait() -> None:
    mailed = Mailed(planned=20, skipped=3, sent=9, unknown=1, other=2, would_send=1)
    assert mailed.waiting == 4


def test_every_choice_of_a_filter_is_one_that_details_are_read_by() -> None:
    assert tuple(PLACEMENTS) == narrowing.PLACEMENTS
    assert set(STRATEGIES) == set(narrowing.STRATEGIES)
    assert set(DEVICES) == set(narrowing.DEVICES)
