"""The catalogue in the admin: to look at, and to start a synchronisation. It is edited in the shop's own system."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.expressions import Func
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from kombu.exceptions import OperationalError

from catalog.models import CATEGORY_SEPARATOR, CatalogSync, Product, Restock
from catalog.querysets import in_category_q
from catalog.tasks import sync_products_now

RUN = "catalog.add_catalogsync"


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that nobody adds, changes or deletes by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


class DepartmentFilter(admin.SimpleListFilter):
    """The first step of the category's path."""

    title = "department"
    parameter_name = "department"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """List the departments that have products."""
        step = (F("category"), Value(CATEGORY_SEPARATOR), Value(1))
        first = Func(*step, function="split_part", output_field=CharField())
        names = Product.objects.exclude(category="").values_list(first, flat=True).distinct().order_by(first)
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        """Keep the department and what lies below it."""
        chosen = self.value()
        return queryset.filter(in_category_q(chosen)) if chosen else queryset


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    """The mirror."""

    list_display = ["picture", "title", "product_id", "category", "money", "stock", "is_active", "updated_at"]
    list_display_links = ["title"]
    list_filter = ["is_active", DepartmentFilter]
    search_fields = ["product_id", "title"]
    search_help_text = "Title or product id"
    ordering = ["-updated_at", "pk"]
    list_per_page = 50
    change_form_template = "admin/catalog/product/change_form.html"
    fields = [
        "picture", "product_id", "title", "description", "category", "brand", "money", "stock", "is_active",
        "link", "attributes", "created_at", "updated_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Leave out the text-search column, which nobody reads."""
        return super().get_queryset(request).defer("search")

    @admin.display(description="")
    def picture(self, product: Product) -> str:
        """Show the product's picture."""
        if not product.image_url:
            return ""
        return format_html('<img src="{}" alt="" width="48" height="48" loading="lazy">', product.image_url)

    @admin.display(description="price", ordering="price")
    def money(self, product: Product) -> str:
        """Show the price with its currency."""
        return "–" if product.price is None else f"{product.price} {product.currency}"

    @admin.display(description="stock", ordering="stock_quantity")
    def stock(self, product: Product) -> str:
        """Show the stock."""
        return "not tracked" if product.stock_quantity is None else str(product.stock_quantity)

    @admin.display(description="page in the shop")
    def link(self, product: Product) -> str:
        """Link to the shop's page, if it is one that a browser should open."""
        if not product.url.startswith(("https://", "http://", "/")):
            return product.url
        return format_html('<a href="{0}" rel="noreferrer">{0}</a>', product.url)


@admin.register(CatalogSync)
class CatalogSyncAdmin(ReadOnlyAdmin):
    """What the synchronisations did, and a button that starts one."""

    change_list_template = "admin/catalog/catalogsync/change_list.html"
    list_display = [
        "started_at", "source", "kind", "state", "new", "changed", "unchanged", "vanished", "refused", "message",
    ]  # fmt: skip
    list_filter = ["state", "source"]
    fields = [
        "source", "location", "kind", "state", "message", "started_at", "finished_at", "active_before",
        "new", "changed", "unchanged", "vanished", "refused", "refused_rows",
    ]  # fmt: skip

    @admin.display(description="what was asked for")
    def kind(self, sync: CatalogSync) -> str:
        """Tell a full run from one that asked for changes."""
        return "everything" if sync.updated_since is None else f"changes since {sync.updated_since:%Y-%m-%d %H:%M}"

    @admin.display(description="refused rows (the first 100)")
    def refused_rows(self, sync: CatalogSync) -> SafeString | str:
        """Show each refused row with its reason."""
        if not sync.refusals:
            return "none"
        cells = ((entry["place"], entry["product_id"] or "?", entry["reason"]) for entry in sync.refusals)
        rows = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", cells)
        head = "<thead><tr><th>where</th><th>product</th><th>reason</th></tr></thead>"
        return format_html("<table>{}<tbody>{}</tbody></table>", SafeString(head), rows)

    def get_urls(self) -> list[URLPattern]:
        """Add the button's address."""
        run = path("run/", self.admin_site.admin_view(self.run), name="catalog_catalogsync_run")
        return [run, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Tell the page whether to show the button."""
        may = bool(settings.ECOMMERCE_API_URL) and request.user.has_perm(RUN)
        return super().changelist_view(request, {**(extra_context or {}), "may_run": may})

    def run(self, request: HttpRequest) -> HttpResponse:
        """Queue a synchronisation with the shop's API."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(RUN):
            raise PermissionDenied
        if not settings.ECOMMERCE_API_URL:
            self.message_user(request, "ECOMMERCE_API_URL is not set.", messages.ERROR)
        else:
            self._queue(request)
        return HttpResponseRedirect(reverse("admin:catalog_catalogsync_changelist"))

    def _queue(self, request: HttpRequest) -> None:
        try:
            sync_products_now.apply_async(retry=False)
        except OperationalError:
            self.message_user(request, "The task queue does not answer; nothing was started.", messages.ERROR)
        else:
            self.message_user(request, "A synchronisation was queued; it will appear here.", messages.SUCCESS)


@admin.register(Restock)
class RestockAdmin(ReadOnlyAdmin):
    """Stocks that rose from 0."""

    list_display = ["product", "stock_quantity", "restocked_at"]
    list_select_related = ["product"]
    ordering = ["-restocked_at", "-pk"]
    search_fields = ["product__product_id", "product__title"]
    date_hierarchy = "restocked_at"
