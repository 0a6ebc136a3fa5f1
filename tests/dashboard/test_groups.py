"""Three groups come with the migrations, and nobody else may look."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from analytics.groups import grant

pytestmark = pytest.mark.django_db


def permissions_of(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in rows}


def test_an_analyst_looks_and_exports_but_sees_no_single_shopper() -> None:
    assert {"analytics.view_analytics", "analytics.export_analytics"} <= permissions_of("Analyst")
    assert permissions_of("Analyst") & {"analytics.view_personal_data", "interactions.view_shopper"} == set()


def test_a_marketer_sees_shoppers_and_changes_no_settings() -> None:
    assert {"analytics.view_analytics", "analytics.view_personal_data"} <= permissions_of("Marketer")
    assert "analytics.change_engine_settings" not in permissions_of("Marketer")


def test_an_operator_changes_settings_and_exports_nothing() -> None:
    assert {"analytics.view_analytics", "analytics.change_engine_settings"} <= permissions_of("Operator")
    assert permissions_of("Operator") & {"analytics.export_analytics", "analytics.view_personal_data"} == set()


def test_granting_again_makes_nothing_twice() -> None:
    before = Permission.objects.count(), permissions_of("Analyst")
    grant(apps, {"Analyst": ["analytics.view_analytics", "catalog.view_product"]})
    assert (Permission.objects.count(), permissions_of("Analyst")) == before


def test_a_permission_that_nobody_defines_is_refused() -> None:
    with pytest.raises(LookupError, match="view_nothing"):
        grant(apps, {"Analyst": ["catalog.view_nothing"]})


def test_granted_permissions_have_the_names_that_django_gives() -> None:
    assert Permission.objects.get(codename="view_catalogsync").name == "Can view catalog synchronisation"
