"""`manage.py sync_products` and the admin's pages, as their people use them."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from catalog import tasks
from catalog.checks import field_map_names_our_fields
from catalog.models import CatalogSync, Product, ProductEmbedding, Restock
from catalog.rows import ProductRow
from catalog.services.mirror_products import mirror_products

pytestmark = pytest.mark.django_db


def run(path: Path, *options: str) -> str:
    out = StringIO()
    call_command("sync_products", "--source", "file", "--path", str(path), *options, stdout=out)
    return out.getvalue()


def table(output: str) -> dict[str, int]:
    """The counts of the printed table."""
    lines = [line.split("│") for line in output.splitlines() if line.startswith("│")]
    return {line[1].strip(): int(line[2].replace(",", "")) for line in lines}


def test_the_command_syncs_embeds_and_tells(tmp_path: Path, encoded: list[list[str]]) -> None:
    path = tmp_path / "products.csv"
    path.write_text("product_id,title,price\na,Lamp,1.50\nb,Desk,x\nc,Chair,\n")
    output = run(path)
    assert table(output) == {"new": 2, "changed": 0, "unchanged": 0, "vanished": 0, "refused": 1, "embedded": 2}
    assert "refused, line 3, product b: price: not a number: 'x'" in output
    assert ProductEmbedding.objects.count() == 2
    output = run(path)
    assert table(output) == {"new": 0, "changed": 0, "unchanged": 2, "vanished": 0, "refused": 1, "embedded": 0}
    assert encoded == [["Lamp", "Chair"]]


def test_every_refused_row_goes_to_the_file(tmp_path: Path, encoded: list[list[str]]) -> None:
    path, refused = tmp_path / "products.csv", tmp_path / "refused.jsonl"
    path.write_text("product_id,title\n" + "".join(f"p{number},\n" for number in range(120)) + "a,Lamp\n")
    output = run(path, "--refused-to", str(refused))
    assert "… and 110 more; --refused-to FILE keeps them all." in output
    kept = [json.loads(line) for line in refused.read_text().splitlines()]
    assert len(kept) == 120
    assert kept[0] == {"place": "line 2", "product_id": "p0", "reason": "title: missing"}


def test_the_command_fails_where_too_much_would_vanish(tmp_path: Path, encoded: list[list[str]]) -> None:
    mirror_products([ProductRow("a", "Lamp"), ProductRow("b", "Desk")])
    path = tmp_path / "products.csv"
    path.write_text("product_id,title\nc,Chair\n")
    with pytest.raises(CommandError, match="Stopped: 2 of 2 active products are not in the source"):
        run(path)
    assert Product.objects.filter(is_active=True).count() == 3
    assert table(run(path, "--force"))["vanished"] == 2
    assert list(Product.objects.filter(is_active=True).values_list("product_id", flat=True)) == ["c"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--source", "file"], "--source file needs --path FILE"),
        (["--source", "http"], "ECOMMERCE_API_URL is not set"),
        (["--source", "http", "--path", "x"], "--path belongs to --source file"),
        (["--source", "file", "--path", "/missing"], "No such file"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(options: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("sync_products", *options, stdout=StringIO())


def test_the_field_map_is_checked(settings: Any) -> None:
    settings.ECOMMERCE_FIELD_MAP = {"product_id": "sku"}
    assert field_map_names_our_fields() == []
    settings.ECOMMERCE_FIELD_MAP = {"sku": "product_id"}
    assert [error.id for error in field_map_names_our_fields()] == ["catalog.E002"]
    settings.ECOMMERCE_FIELD_MAP = ["sku"]
    assert [error.id for error in field_map_names_our_fields()] == ["catalog.E001"]


def test_beat_has_its_ticks() -> None:
    from django_celery_beat.models import PeriodicTask

    ticks = PeriodicTask.objects.filter(name__startswith="catalog: ")
    found = {(tick.task, str(tick.interval or tick.crontab.timezone), tick.args, tick.kwargs) for tick in ticks}
    assert found == {
        ("catalog.embed_missing_products", "every 20 seconds", "[]", "{}"),
        ("catalog.sync_products_nightly", "UTC", "[]", "{}"),
    }


def test_products_are_shown_and_cannot_be_edited(admin_client: Client) -> None:
    mirror_products([
        ProductRow("a", "Lamp", category="Home > Light", image_url="https://shop.example/a.png", stock_quantity=0),
        ProductRow("b", "Rake", category="Garden", url="javascript:alert(1)"),
    ])  # fmt: skip
    page = admin_client.get("/admin/catalog/product/").content.decode()
    assert '<img src="https://shop.example/a.png" alt="" width="48" height="48" loading="lazy">' in page
    assert "not tracked" in page
    assert "?department=Garden" in page
    home = admin_client.get("/admin/catalog/product/?department=Home").content.decode()
    assert ("Lamp" in home, "Rake" in home) == (True, False)
    assert "Rake" in admin_client.get("/admin/catalog/product/?q=rak").content.decode()
    rake = Product.objects.get(product_id="b")
    address = f"/admin/catalog/product/{rake.pk}/change/"
    assert 'href="javascript:' not in admin_client.get(address).content.decode()
    assert admin_client.post(address, {"title": "Hacked"}).status_code == 403
    assert admin_client.get("/admin/catalog/product/add/").status_code == 403
    rake.refresh_from_db()
    assert rake.title == "Rake"


def test_the_product_list_costs_a_fixed_number_of_queries(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    mirror_products([ProductRow(f"p{number}", "Lamp") for number in range(40)])
    with django_assert_max_num_queries(8):
        admin_client.get("/admin/catalog/product/")


def test_refused_rows_can_be_read(admin_client: Client) -> None:
    refusal = {"place": "line 2", "product_id": "<b>", "reason": "title: missing"}
    sync = CatalogSync.objects.create(source="file", location="x.csv", refused=1, refusals=[refusal])
    page = admin_client.get(f"/admin/catalog/catalogsync/{sync.pk}/change/").content.decode()
    assert "<td>line 2</td><td>&lt;b&gt;</td><td>title: missing</td>" in page


def test_restocks_are_listed(admin_client: Client) -> None:
    mirror_products([ProductRow("a", "Lamp", stock_quantity=0)])
    mirror_products([ProductRow("a", "Lamp", stock_quantity=3)])
    assert Restock.objects.count() == 1
    assert "Lamp" in admin_client.get("/admin/catalog/restock/").content.decode()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[dict[str, Any]]:
    settings.ECOMMERCE_API_URL = "https://shop.example/products"
    queued: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.sync_products_now, "apply_async", lambda **how: queued.append(how))
    return queued


def test_the_button_queues_a_run(admin_client: Client, queued: list[dict[str, Any]]) -> None:
    assert "Synchronise with the shop now" in admin_client.get("/admin/catalog/catalogsync/").content.decode()
    answer = admin_client.post("/admin/catalog/catalogsync/run/", follow=True)
    assert "A synchronisation was queued" in answer.content.decode()
    assert queued == [{"retry": False}]


def test_the_button_needs_a_post_a_permission_and_an_address(
    admin_client: Client, client: Client, queued: list[dict[str, Any]], settings: Any
) -> None:
    assert admin_client.get("/admin/catalog/catalogsync/run/").status_code == 405
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_catalogsync"))
    client.force_login(viewer)
    assert "Synchronise" not in client.get("/admin/catalog/catalogsync/").content.decode()
    assert client.post("/admin/catalog/catalogsync/run/").status_code == 403
    settings.ECOMMERCE_API_URL = ""
    answer = admin_client.post("/admin/catalog/catalogsync/run/", follow=True)
    assert "ECOMMERCE_API_URL is not set." in answer.content.decode()
    assert queued == []
