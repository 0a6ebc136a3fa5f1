"""A page of the dashboard: its name, who may see it, what it shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, HttpResponse

from analytics import performance
from analytics.pages.filters import Filters
from analytics.pages.tables import Table

VIEW = "analytics.view_analytics"
EXPORT = "analytics.export_analytics"
PERSONAL = "analytics.view_personal_data"
SETTINGS = "analytics.change_engine_settings"
AUDIT = "audit.view_auditentry"


Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for: by whom, and about what."""

    request: HttpRequest
    filters: Filters
    kept: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, read: Callable[[], Kept]) -> Kept:
        """Return what `read` returns; several parts of a page that ask by one name read it once."""
        if name not in self.kept:
            self.kept[name] = read()
        found: Kept = self.kept[name]
        return found

    @property
    def figures_filters(self) -> performance.Filters:
        """Return the filters of lists."""
        return performance.Filters(**self.filters.narrowed)

    def may(self, permission: str) -> bool:
        """Tell whether whoever asks has a permission."""
        return may(self.request.user, permission)


Build = Callable[[Asked], Mapping[str, Any]]
Tables = Callable[[Asked], Mapping[str, Table]]
# Answers what was sent: a response, or what the page shall show besides.
Post = Callable[[Asked], HttpResponse | Mapping[str, Any]]


def no_tables(asked: Asked) -> Mapping[str, Table]:
    """Return none."""
    return {}


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `build` returns what its template shows besides `tables`; the tables are also files to download."""

    slug: str
    title: str
    question: str
    build: Build
    tables: Tables = no_tables
    narrowing: tuple[str, ...] = ()
    has_period: bool = True
    # Figures of a period are as old as the last roll-up, and the page says so.
    is_counted: bool = True
    compares: bool = True
    permissions: tuple[str, ...] = (VIEW,)
    post: Post | None = None
    section: str = "Analytics"
    # Not where something is changed on the page and looked at next, nor where the engine is asked.
    from_replica: bool = False

    @property
    def template(self) -> str:
        """Return the template's name."""
        return f"admin/analytics/{self.slug}.html"

    @property
    def url_name(self) -> str:
        """Return the name of the page's address; the overview is the admin's front page."""
        return "admin:index" if self.slug == "overview" else f"admin:analytics_{self.slug}"

    def is_for(self, user: AbstractBaseUser | AnonymousUser) -> bool:
        """Tell whether somebody may see the page."""
        return all(may(user, permission) for permission in self.permissions)


def may(user: Any, permission: str) -> bool:
    """Tell whether an active member of staff has a permission."""
    return bool(user.is_active and user.is_staff and user.has_perm(permission))
