"""The audit trail: whatever people change, through whichever door, stands there with what it was before."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, OutboxMessage, Suppression
from catalog.models import Product
from recommendations.configuration import default_event_weights
from recommendations.models import Experiment, ExperimentVariant, MerchandisingRule, ModelVersion
from reemio.access.models import ApiKey, issue_key
from reemio.audit.acting import acting
from reemio.audit.models import AuditEntry
from tests.recommendations.test_rule_admin import filled

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
RULES = "/admin/recommendations/merchandisingrule/"


@pytest.fixture
def boss(signed_in: SignIn) -> Client:
    """Somebody who may do everything; what happened until now is of no interest."""
    client = signed_in("admin")
    forget()
    return client


def forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('reemio.audit_retention', 'on', true)")
        cursor.execute("DELETE FROM audit_entries")
        cursor.execute("SELECT set_config('reemio.audit_retention', '', true), set_config('reemio.actor', '', true)")


def entries(**conditions: Any) -> list[tuple[Any, ...]]:
    """Return who changed which, and how, the first change first."""
    found = AuditEntry.objects.filter(**conditions).order_by("pk")
    return [(one.actor, one.kind, one.object_name, one.action, one.before, one.after) for one in found]


def act(client: Client, address: str, action: str, *rows: Any) -> None:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    assert client.post(address, data).status_code == 302


def a_rule(**fields: Any) -> MerchandisingRule:
    rule = MerchandisingRule.objects.create(name="Summer", action="hide", category="Sports", **fields)
    forget()
    return rule


def test_a_rule_made_changed_and_deleted_in_the_admin_stands_there_three_times(boss: Client) -> None:
    Product.objects.create(product_id="shoe", title="Shoe", category="Sports")
    Product.objects.create(product_id="pen", title="Pen", category="Office")
    assert boss.post(f"{RULES}add/", filled(category="Sports")).status_code == 302
    rule = MerchandisingRule.objects.get()
    assert boss.post(f"{RULES}{rule.pk}/change/", filled(category="Sports", priority="3")).status_code == 302
    assert boss.post(f"{RULES}{rule.pk}/delete/", {"post": "yes"}).status_code == 302
    made, changed, gone = entries(kind="rule")
    assert made[:4] == ("admin", "rule", "Summer", "added")
    assert (made[4], made[5]["category"], made[5]["priority"]) == ({}, "Sports", 0)
    assert changed == ("admin", "rule", "Summer", "changed", {"priority": 0}, {"priority": 3})
    assert gone[3] == "deleted"
    assert (gone[4]["category"], gone[5]) == ("Sports", {})


def test_an_action_on_many_rows_at_once_stands_there_for_each(boss: Client) -> None:
    rules = [a_rule(), a_rule()]
    act(boss, RULES, "switch_off", *rules)
    assert entries() == [("admin", "rule", "Summer", "changed", {"enabled": True}, {"enabled": False})] * 2


def test_a_product_put_into_a_rule_stands_there_by_the_shops_id(boss: Client) -> None:
    rule = a_rule()
    product = Product.objects.create(product_id="shoe", title="Shoe")
    rule.products.add(product)
    assert entries() == [("", "rule", "Summer", "changed", {}, {"product": "shoe"})]


def test_a_key_made_and_revoked_stands_there_without_its_digest(boss: Client) -> None:
    issue_key(name="old", kind="secret")
    forget()
    assert boss.post("/admin/access/apikey/add/", {"name": "till", "kind": "publishable"}).status_code == 200
    act(boss, "/admin/access/apikey/", "revoke", *ApiKey.objects.all())
    made, *revoked = entries(kind="API key")
    assert made[:4] == ("admin", "API key", "till", "added")
    assert made[5]["digest"] == "(secret, changed)"
    assert sorted((one[2], sorted(one[5])) for one in revoked) == [("old", ["revoked_at"]), ("till", ["revoked_at"])]
    told = str(entries())
    assert not any(key.digest in told for key in ApiKey.objects.all())


def test_a_user_their_password_and_their_groups_stand_there(boss: Client) -> None:
    user = User.objects.create_user("clara", password="first-Secret-1")
    group = Group.objects.create(name="Sales")
    forget()
    form = {
        "username": "clara", "is_active": "on", "is_staff": "on", "groups": [group.pk],
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
    }  # fmt: skip
    assert boss.post(f"/admin/auth/user/{user.pk}/change/", form).status_code == 302
    passwords = {"password1": "another-Secret-2", "password2": "another-Secret-2", "usable_password": "true"}
    assert boss.post(f"/admin/auth/user/{user.pk}/password/", passwords).status_code == 302
    group.permissions.add(Permission.objects.get(codename="view_product"))
    staff, joined, password, granted = entries()
    assert staff[:4] == ("admin", "user", "clara", "changed")
    assert (staff[4]["is_staff"], staff[5]["is_staff"]) == (False, True)
    assert joined == ("admin", "user", "clara", "changed", {}, {"group": "Sales"})
    assert password[4:] == ({"password": "(secret)"}, {"password": "(secret, changed)"})
    assert granted[1:] == ("group", "Sales", "changed", {}, {"permission": "view_product"})


def test_signing_in_is_no_change(client: Client) -> None:
    User.objects.create_superuser("bea", password="a-Secret-1")
    forget()
    client.post("/admin/login/", {"username": "bea", "password": "a-Secret-1"})
    assert User.objects.get(username="bea").last_login is not None
    assert entries() == []


def test_a_campaign_switched_and_its_numbers_stand_there(boss: Client) -> None:
    campaign = Campaign.objects.get(kind="weekly_digest")
    address = f"/admin/campaigns/campaign/{campaign.pk}/"
    assert boss.post(f"{address}switch/", {"mode": "paused", "reason": "holidays"}).status_code == 302
    numbers = {f"number_{name}": value for name, value in campaign.numbers.items()}
    name, value = next((name, value) for name, value in campaign.numbers.items() if name == "cooldown_days" or value)
    assert boss.post(f"{address}change/", {**numbers, f"number_{name}": value + 1}).status_code == 302
    switched, changed = entries()
    assert switched[:4] == ("admin", "campaign", "weekly_digest", "changed")
    assert (switched[4]["mode"], switched[5]["mode"], switched[5]["mode_reason"]) == ("draft", "paused", "holidays")
    assert changed[5]["changed_numbers"] == {name: value + 1}


def test_an_experiment_and_its_variants_stand_there(boss: Client) -> None:
    experiment = Experiment.objects.create(key="e", name="E", placement="homepage")
    for name in ("now", "then"):
        ExperimentVariant.objects.create(experiment=experiment, name=name)
    forget()
    act(boss, "/admin/recommendations/experiment/", "start", experiment)
    ((*who, before, after),) = entries()
    assert who == ["admin", "experiment", "e", "changed"]
    assert (before["state"], after["state"]) == ("draft", "running")


def test_weights_and_placements_stand_there_one_entry_for_each_that_differs(boss: Client) -> None:
    page = reverse("admin:analytics_engine")
    boss.post(page, {"what": "weights", **default_event_weights(), "view": 2.0, "save": ""})
    boss.post(page, {"what": "weights", **default_event_weights(), "view": 2.5, "save": ""})
    boss.post(page, {"what": "weights", **default_event_weights(), "save": ""})
    shares = {"own": "", "category_share": 50, "brand_share": 100}
    boss.post(page, {"what": "placement", "placement": "cart", **shares, "save": ""})
    weights = entries(kind="event weight")
    assert [(one[0], one[2], one[3], one[4], one[5]) for one in weights] == [
        ("admin", "view", "added", {}, {"weight": 2.0}),
        ("admin", "view", "changed", {"weight": 2.0}, {"weight": 2.5}),
        ("admin", "view", "deleted", {"weight": 2.5}, {}),
    ]
    assert entries(kind="placement")[-1][5] == {"settings": {"brand_share": 1.0, "category_share": 0.5}}


def test_what_the_machine_writes_by_itself_is_no_entry_and_what_a_person_does_to_it_is(boss: Client) -> None:
    version = ModelVersion.objects.create(as_of=timezone.now(), state="ready")
    campaign = Campaign.objects.get(kind="weekly_digest")
    mail = OutboxMessage.objects.create(
        campaign=campaign, user_id="wanjiku", occasion="o", dedupe_key="k", priority=1, due_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    blocked = Suppression.objects.create(subject_hash="a" * 32, reason="complaint")
    assert entries() == []
    act(boss, "/admin/recommendations/modelversion/", "adopt", version)
    act(boss, "/admin/campaigns/outboxmessage/", "cancel", mail)
    boss.post(f"/admin/campaigns/suppression/{blocked.pk}/delete/", {"post": "yes"})
    assert entries() == [
        ("admin", "model version", str(version.pk), "changed", {"state": "ready"}, {"state": "active"}),
        ("admin", "mail", str(mail.pk), "changed", {"state": "planned"}, {"state": "cancelled"}),
        ("admin", "suppression", str(blocked.pk), "deleted", {"reason": "complaint"}, {}),
    ]
    assert "wanjiku" not in str(list(AuditEntry.objects.values()))


def test_whatever_can_be_changed_in_the_admin_has_a_trigger(rf: Any) -> None:
    request = rf.get("/admin/")
    request.user = User.objects.create_superuser("boss")
    editable = {
        model._meta.db_table
        for model, page in admin.site._registry.items()
        if any(getattr(page, f"has_{verb}_permission")(request) for verb in ("add", "change", "delete"))
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit'")
        watched = {name for (name,) in cursor.fetchall()}
    assert len(editable) > 8
    assert editable - watched == set()


def test_an_entry_is_neither_changed_nor_deleted(boss: Client) -> None:
    a_rule()
    MerchandisingRule.objects.update(enabled=False)
    entry = AuditEntry.objects.get()
    for statement in ("UPDATE audit_entries SET actor = 'nobody'", "DELETE FROM audit_entries"):
        with pytest.raises(DatabaseError, match="neither changed nor deleted"), transaction.atomic():
            connection.cursor().execute(statement)
    assert AuditEntry.objects.get().actor == entry.actor
    assert not admin.site.is_registered(AuditEntry)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_entry_and_nobody_is_at_work_afterwards() -> None:
    with acting("bea"), transaction.atomic():
        Group.objects.create(name="Sales")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.filter(object_name="Sales").exists()
    with acting("bea", request_id="r-1"):
        Group.objects.create(name="Sales")
    Group.objects.filter(name="Sales").update(name="Shop")
    told = AuditEntry.objects.filter(kind="group", object_name__in=["Sales", "Shop"]).order_by("pk")
    assert [(one.actor, one.request_id, one.action) for one in told] == [("bea", "r-1", "added"), ("", "", "changed")]


def test_the_page_is_narrowed_by_person_thing_and_date(boss: Client, signed_in: SignIn) -> None:
    a_rule()
    other = MerchandisingRule.objects.create(name="Winter", action="hide", category="Sports")
    forget()
    for who, rule in (("bea", "Summer"), ("clara", "Winter")):
        with acting(who):
            MerchandisingRule.objects.filter(name=rule).update(priority=7)
    page = reverse("admin:analytics_audit")

    def told(**query: Any) -> set[str]:
        rows = boss.get(page, query).context["tables"]["entries"].rows()
        return {f"{row['actor']} {row['name']} {row['change']}" for row in rows}

    bea, clara = "bea Summer priority: 0 → 7", "clara Winter priority: 0 → 7"
    assert told() == {bea, clara}
    assert told(who="bea") == {bea}
    assert told(thing="winter") == told(thing=str(other.pk)) == {clara}
    assert told(kind="rule", who="clara") == {clara}
    assert told(kind="campaign") == told(who="-") == set()
    day = timezone.now().date() - timedelta(days=2)
    assert told(**{"from": day.isoformat(), "to": day.isoformat()}) == set()
    assert "Nothing was changed." in boss.get(page, {"kind": "campaign"}).content.decode()


def test_an_auditor_takes_the_trail_away_as_a_file_and_sees_nothing_else(signed_in: SignIn) -> None:
    auditor = signed_in("auditor")
    forget()
    with acting("=cmd()"):
        Group.objects.create(name="Sales")
    text = b"".join(auditor.get(reverse("admin:audit_csv", args=["entries"])).streaming_content)  # type: ignore[attr-defined]  # streamed
    (line,) = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    assert (line["actor"], line["kind"], line["name"], line["action"]) == ("'=cmd()", "group", "Sales", "added")
    assert line["change"] == "name: Sales"
    assert auditor.get(reverse("admin:analytics_engine")).status_code == 403
    assert signed_in("marketer").get(reverse("admin:analytics_audit")).status_code == 403
