"""Staff without the permission see nothing of it: every page, file and endpoint refuses, and tells nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analytics.pages.page import EXPORT, Asked, Page
from analytics.pages.registry import PAGES
from analytics.site import _filters
from analytics.urls import urlpatterns
from reemio.access.models import ApiKey, issue_key
from tests.dashboard.scene import paint
from tests.dashboard.test_pages import MAY

SignIn = Callable[[str], Client]
# Words that stand on pages, in files and in answers once something has happened: titles, people, sums, texts.
TOLD = ("Product 2", "ada-lovelace", "Ada Lovelace", "50.00", "225.00", "moon boots", "trowel")
ROLES = (*MAY, "clerk")


def tables_of(page: Page, client: Client, rf: Any) -> list[str]:
    request = rf.get(reverse(page.url_name))
    request.user = client.get(reverse("admin:index")).wsgi_request.user
    return list(page.tables(Asked(request, _filters(request, page))))


def files(client: Client, rf: Any) -> Iterator[tuple[Page, str]]:
    for page in PAGES:
        for table in tables_of(page, client, rf):
            yield page, reverse(f"admin:{page.slug}_csv", args=[table])


def is_for(page: Page, role: str) -> bool:
    return role != "clerk" and set(page.permissions) - {"analytics.view_analytics"} <= MAY[role]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_the_files_it_may_have_and_nothing_of_the_others(role: str, signed_in: SignIn, rf: Any) -> None:
    paint()
    every = list(files(signed_in("admin") if role != "admin" else signed_in("analyst"), rf))
    assert len(every) > 20
    client = signed_in(role)
    for page, address in every:
        response = client.get(address, {"user": "ada-lovelace"})
        if is_for(page, role) and EXPORT in MAY.get(role, ()):
            assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8"), address
        else:
            assert response.status_code == 403, address
            assert [word for word in TOLD if word in response.content.decode()] == [], address


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", PAGES, ids=[page.slug for page in PAGES])
def test_a_refused_page_tells_nothing_however_it_is_asked(page: Page, role: str, signed_in: SignIn) -> None:
    paint()
    if is_for(page, role):
        return
    client = signed_in(role)
    address = reverse(page.url_name)
    asked = client.get(address, {"user": "ada-lovelace", "days": "90"})
    for response in (asked, client.post(address, {"what": "weights"})):
        if page.slug == "overview" and response.status_code == 200:
            assert "Day by day" not in response.content.decode()
        else:
            assert response.status_code == 403
        assert [word for word in TOLD if word in response.content.decode()] == []


@pytest.mark.parametrize("route", [str(pattern.pattern) for pattern in urlpatterns])
@pytest.mark.parametrize(("kind", "code"), [(None, 401), ("publishable", 403), ("secret", 200)])
def test_an_endpoint_of_figures_answers_a_secret_key_only(
    route: str, kind: str | None, code: int, client: Client, db: None, settings: Any
) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    paint()
    headers = {"Authorization": f"Api-Key {issue_key(name='test', kind=ApiKey.Kind(kind))[1]}"} if kind else {}
    response = client.get(f"/api/v1/analytics/{route.removeprefix('analytics/')}", headers=headers)
    assert response.status_code == code
    if code != 200:
        assert [word for word in TOLD if word in response.content.decode()] == []


@pytest.mark.parametrize(
    ("role", "may"), [("marketer", True), ("analyst", False), ("operator", False), ("clerk", False)]
)
def test_marketers_define_experiments_rules_and_campaigns_and_nobody_else_does(
    role: str, may: bool, signed_in: SignIn
) -> None:
    client = signed_in(role)
    for model in ("experiment", "merchandisingrule"):
        assert client.get(reverse(f"admin:recommendations_{model}_add")).status_code == (200 if may else 403), model
    text = client.get(reverse("admin:analytics_experiments")).content.decode()
    assert ("Define an experiment" in text and "/experiment/add/" in text) == may
