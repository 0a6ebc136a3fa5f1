"""The admin's site: Django's own, whose front page is the overview, and whose menu begins with the dashboard."""

from collections.abc import Callable, Iterator
from functools import update_wrapper
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from analytics.health import counted_until
from analytics.pages.csv import csv_response
from analytics.pages.filters import Filters, parse
from analytics.pages.page import EXPORT, Asked, Page, may
from analytics.pages.registry import OVERVIEW, PAGES
from reemio.audit.acting import acting
from reemio.database.reading import preferring_replica, standing

Answer = TypeVar("Answer", bound=HttpResponseBase)
READS = ("GET", "HEAD", "OPTIONS")


class Site(AdminSite):
    """Django's admin with the dashboard in front."""

    site_header = "Reemio"
    site_title = "Reemio"
    index_title = "Overview"

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Put the dashboard's addresses before the models'."""
        return [*self._addresses(), *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the dashboard's menu, as far as whoever asks may see it."""
        has_shop = settings.REEMIO_DEMO_SHOP or settings.REEMIO_SHOP_URL != "/"
        return {
            **super().each_context(request),
            "site_url": settings.REEMIO_SHOP_URL if has_shop else "",
            "dashboard_menu": _menu(request),
            "shop_name": settings.REEMIO_SHOP_NAME,
            "time_zone": settings.REEMIO_SHOP_TIME_ZONE,
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the overview; whoever may not see it finds the models only."""
        if not OVERVIEW.is_for(request.user):
            return super().index(request, {"title": "Data", **(extra_context or {})})
        more = {"app_list": self.get_app_list(request), **(extra_context or {})}
        return _read(OVERVIEW, lambda: self._page(request, OVERVIEW, more))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Let the audit trail know who is signed in, for whatever a view writes."""

        def audited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method in READS:
                return view(request, *args, **kwargs)
            request_id = structlog.contextvars.get_contextvars().get("request_id", "")
            with acting(request.user.get_username(), request_id=request_id):
                return view(request, *args, **kwargs)

        return super().admin_view(update_wrapper(audited, view), cacheable)

    def _addresses(self) -> Iterator[URLPattern]:
        for page in PAGES:
            address = f"analytics/{page.slug}/"
            if page is not OVERVIEW:
                yield path(address, self.admin_view(self._view_of(page)), name=f"analytics_{page.slug}")
            yield path(f"{address}<slug:table>.csv", self.admin_view(self._csv_of(page)), name=f"{page.slug}_csv")

    def _view_of(self, page: Page) -> Callable[..., HttpResponseBase]:
        def view(request: HttpRequest) -> HttpResponseBase:
            if not page.is_for(request.user):
                raise PermissionDenied
            if request.method == "POST" and page.post:
                done = page.post(Asked(request, _filters(request, page)))
                return done if isinstance(done, HttpResponseBase) else self._page(request, page, dict(done))
            if request.method not in ("GET", "HEAD"):
                return HttpResponseNotAllowed(["GET", "HEAD"])
            return _read(page, lambda: self._page(request, page, {}))

        return view

    def _csv_of(self, page: Page) -> Callable[..., HttpResponseBase]:
        def view(request: HttpRequest, table: str) -> HttpResponseBase:
            if not page.is_for(request.user) or not may(request.user, EXPORT):
                raise PermissionDenied
            return _read(page, lambda: self._file(request, page, table))

        return view

    def _file(self, request: HttpRequest, page: Page, table: str) -> StreamingHttpResponse:
        """Return one table of a page as a file. Raises `Http404` where it has none of that name."""
        asked = Asked(request, _filters(request, page))
        found = page.tables(asked).get(table)
        if found is None:
            raise Http404
        order = found.order_of(request.GET.get(f"sort-{table}", ""))
        period = asked.filters.period
        span = f"-{period.first}-{period.last}" if page.has_period else ""
        return csv_response(found, order=order, name=f"reemio-{page.slug}-{table}{span}")

    def _page(self, request: HttpRequest, page: Page, more: dict[str, Any]) -> TemplateResponse:
        asked = Asked(request, _filters(request, page))
        built = page.build(asked)
        context = {
            **self.each_context(request),
            "title": page.title,
            "subtitle": None,
            "page": page,
            "filters": asked.filters,
            "may_export": asked.may(EXPORT),
            "tables": page.tables(asked),
            "as_of": counted_until() if page.has_period and page.is_counted and "as_of" not in built else None,
            **built,
            "read_from": standing() if page.from_replica else None,
            **more,
        }
        request.current_app = self.name
        response = TemplateResponse(request, page.template, context)
        # Here and now: what the template reads is read from where the page is.
        response.render()
        return response


def _read(page: Page, read: Callable[[], Answer]) -> Answer:
    """Return a whole answer, read from the replica where the page may."""
    return preferring_replica(read) if page.from_replica else read()


def _filters(request: HttpRequest, page: Page) -> Filters:
    return parse(request.GET.dict(), narrowing=page.narrowing)


def _menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages that whoever asks may see, in sections."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for page in PAGES:
        if page.is_for(request.user):
            address = reverse(page.url_name)
            entry = {"page": page, "address": address, "here": request.path == address}
            sections.setdefault(page.section, []).append(entry)
    return [{"title": title, "entries": entries} for title, entries in sections.items()]
