"""Who may see which page, what a page says about wrong input, and how much it asks of the database."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.models import RollupState
from analytics.pages.page import AUDIT, EXPORT, PERSONAL, SETTINGS, Page
from analytics.pages.registry import PAGES
from tests.dashboard.scene import paint

MOST_QUERIES = 15
# What a group brings besides looking.
MAY = {
    "analyst": {EXPORT},
    "marketer": {EXPORT, PERSONAL},
    "operator": {SETTINGS, AUDIT},
    "admin": {EXPORT, PERSONAL, SETTINGS, AUDIT},
}
SignIn = Callable[[str], Client]
every_page = pytest.mark.parametrize("sheet", PAGES, ids=[sheet.slug for sheet in PAGES])


def is_allowed(sheet: Page, role: str) -> bool:
    return set(sheet.permissions) - {"analytics.view_analytics"} <= MAY[role]


@every_page
@pytest.mark.parametrize("role", MAY)
def test_a_page_opens_for_the_roles_that_may_see_it(sheet: Page, role: str, signed_in: SignIn) -> None:
    response = signed_in(role).get(reverse(sheet.url_name))
    if is_allowed(sheet, role):
        assert response.status_code == 200
        assert sheet.question in response.content.decode()
    else:
        assert response.status_code == 403


@every_page
def test_a_page_of_a_shop_in_which_something_happened(sheet: Page, signed_in: SignIn) -> None:
    client = signed_in("admin")
    paint()
    # The first request of a process fills its copies of the catalogue, of vectors and of settings.
    assert client.get(reverse(sheet.url_name)).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(sheet.url_name))
    assert len(queries) <= MOST_QUERIES, "\n".join(query["sql"][:200] for query in queries)


@every_page
def test_a_page_of_figures_says_up_to_when_everything_is_counted(sheet: Page, signed_in: SignIn) -> None:
    client = signed_in("admin")
    paint()
    RollupState.objects.update(as_of=datetime(2026, 3, 10, 12, 34, tzinfo=UTC))
    text = client.get(reverse(sheet.url_name)).content.decode()
    # What was changed, who somebody is and what the engine would answer is read as it is.
    live = sheet.slug in ("audit", "engine", "experiments", "explain", "shopper")
    assert ("Data as of 10 Mar 2026, 12:34" in text) == (not live)


def test_the_overview_tells_what_recommendations_earned(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    paint()
    text = client.get(reverse("admin:index")).content.decode()
    # Five of ten visits bought what they had clicked for 10, and something else for 45.
    assert "Recommendations earned 50.00 USD in the last 28 days: 18.2 % of the shop’s revenue." in text
    assert "Orders with them brought another 225.00 USD." in text
    assert "50.0 % of searches find nothing" in text
    assert "Measure what recommendations cause" in text


def test_a_file_has_what_its_table_has(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    paint()
    lines = rows_of(client, "products", {"by": "clicks"})
    assert [(line["product_id"], line["clicks"], line["impressions"]) for line in lines] == [("p2", "10", "10")]
    response = client.get(reverse("admin:products_csv", args=["products"]))
    assert response["Content-Disposition"].startswith('attachment; filename="reemio-products-products-')


def test_products_are_narrowed_to_what_lists_of_one_placement_did(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    paint()
    address = reverse("admin:analytics_products")
    # Those who bought had clicked on product pages: five visits, one product each; another five were on the homepage.
    text = client.get(address, {"placement": "product"}).content.decode()
    assert "“Product 2” comes first, with 5 clicks." in text
    assert "Conversions and direct revenue are those that the chosen lists are credited with." in text
    assert 'aria-current="true">Clicked</a>' in text
    assert "Viewed</a>" not in text
    lines = rows_of(client, "products", {"placement": "product", "by": "revenue"})
    assert [(line["product_id"], line["purchases"], line["revenue"], line["clicks"]) for line in lines] == [
        ("p2", "5", "50.00", "5")
    ]
    lines = rows_of(client, "products", {"placement": "homepage", "by": "revenue"})
    assert lines == []
    lines = rows_of(client, "products", {"by": "revenue"})
    assert [(line["product_id"], line["purchases"], line["revenue"]) for line in lines] == [
        ("p9", "5", "225.00"), ("p2", "5", "50.00")
    ]  # fmt: skip


def test_products_on_one_device_tell_nothing_that_a_list_cannot_know(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    paint()
    text = client.get(reverse("admin:analytics_products"), {"device": "mobile", "by": "recommended"}).content.decode()
    assert "what was recommended is not told by device" in text
    assert "Recommended</a>" not in text
    assert 'id="table-never"' not in text
    lines = rows_of(client, "products", {"device": "mobile", "by": "views"})
    assert lines == []
    lines = rows_of(client, "ignored", {"device": "mobile"})
    assert [(line["product_id"], line["impressions"]) for line in lines] == [
        (f"p{number}", "10") for number in range(1, 9)
    ]
    assert client.get(reverse("admin:products_csv", args=["never"]), {"device": "mobile"}).status_code == 404


def test_searches_are_narrowed_to_one_device(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    paint()
    assert {line["query"] for line in rows_of(client, "queries", {}, page="search")} == {"trowel", "moon boots"}
    assert rows_of(client, "queries", {"device": "mobile"}, page="search") == []


def rows_of(client: Client, table: str, query: dict[str, str], *, page: str = "products") -> list[dict[str, str]]:
    response = client.get(reverse(f"admin:{page}_csv", args=[table]), query)
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]  # streamed


@pytest.mark.parametrize("role", MAY)
def test_the_menu_names_exactly_the_pages_that_open(role: str, signed_in: SignIn) -> None:
    text = signed_in(role).get(reverse("admin:index")).content.decode()
    named = {
        sheet.slug for sheet in PAGES if f'<a href="{reverse(sheet.url_name)}"' in text and sheet.slug != "overview"
    }
    assert named == {sheet.slug for sheet in PAGES if is_allowed(sheet, role) and sheet.slug != "overview"}


@every_page
def test_staff_without_a_group_are_refused(sheet: Page, signed_in: SignIn) -> None:
    clerk = signed_in("clerk")
    if sheet.slug != "overview":
        assert clerk.get(reverse(sheet.url_name)).status_code == 403


def test_the_front_page_of_staff_without_a_group_shows_nothing_of_the_dashboard(signed_in: SignIn) -> None:
    text = signed_in("clerk").get(reverse("admin:index")).content.decode()
    assert "/admin/analytics/" not in text
    assert 'class="tile"' not in text
    assert "Day by day" not in text


@every_page
def test_strangers_are_asked_to_sign_in(sheet: Page, client: Client) -> None:
    response = client.get(reverse(sheet.url_name))
    assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


@every_page
@pytest.mark.parametrize("role", ["operator", "clerk"])
def test_no_file_is_given_to_who_may_not_export(sheet: Page, role: str, signed_in: SignIn) -> None:
    response = signed_in(role).get(reverse(f"admin:{sheet.slug}_csv", args=["days"]))
    assert response.status_code == 403
    assert b"," not in response.content


def test_an_operator_sees_the_tables_but_no_link_to_download_them(signed_in: SignIn) -> None:
    text = signed_in("operator").get(reverse("admin:index")).content.decode()
    assert "Day by day" in text
    assert "days.csv" not in text


def test_a_file_that_does_not_exist_is_not_found(signed_in: SignIn) -> None:
    assert signed_in("analyst").get(reverse("admin:overview_csv", args=["nothing"])).status_code == 404


@every_page
def test_a_page_asks_the_database_at_most_fifteen_times(sheet: Page, signed_in: SignIn) -> None:
    client = signed_in("admin")
    client.get(reverse(sheet.url_name))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(reverse(sheet.url_name))
    assert len(queries) <= MOST_QUERIES, "\n".join(query["sql"][:200] for query in queries)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("days=5", "A period has 7, 28 or 90 days"),
        ("from=2026-13-01", "written like 2026-11-24"),
        ("from=2026-02-01&to=2026-01-01", "ends before it begins"),
        ("from=2000-01-01&to=2026-01-01", "at most 365 days"),
        ("placement=moon", "There is no placement of that name"),
        ("strategy=luck", "There is no strategy of that name"),
        ("device=loom", "There is no device of that name"),
        ("compare=apples", "“compare” is “before” or “none”"),
    ],
)
def test_wrong_input_falls_back_with_a_sentence(query: str, complaint: str, signed_in: SignIn) -> None:
    response = signed_in("analyst").get(reverse("admin:analytics_recommendations") + f"?{query}")
    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert response.context["filters"].narrowed == {}


def test_a_page_sends_a_policy_that_allows_no_inline_script_or_style(signed_in: SignIn) -> None:
    policy = signed_in("analyst").get(reverse("admin:index"))["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["script-src"] == rules["style-src"] == "'self'"
