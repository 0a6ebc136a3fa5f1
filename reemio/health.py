"""Liveness, readiness and metrics, for orchestrators and scrapers: no key is asked, nothing personal is told."""

import hmac
from collections.abc import Callable, Mapping
from functools import partial

import structlog
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection
from prometheus_client import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError

from reemio.metrics import Gauges, exposition

log = structlog.get_logger(__name__)

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

# A check returns what is amiss in a few words, or nothing where all is well. It may raise instead.
Check = Callable[[], str | None]


class Lacking(str):
    """What is amiss, where requests are answered without it all the same: slower, or less well."""


# A detail tells how something stands that the service can do without.
Detail = Callable[[], object]


def probes_come_by_address(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Return the middleware that lets orchestrators and scrapers in, who name a pod's address and no host of ours.

    Their requests are told apart by path, and count as if they had named the first host that is allowed.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES and settings.ALLOWED_HOSTS:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip("*.") or "localhost"
        return get_response(request)

    return answer


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process is up, and nothing more."""
    return _uncached({"status": "ok"}, status=200)


def readyz(
    checks: Mapping[str, Check], details: Mapping[str, Detail] | None = None
) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view that asks each check by name: 200 where all are well, 503 naming what is not otherwise.

    Its status is “degraded” where nothing is amiss that requests cannot do without. Whoever asks with `?degraded=ok`,
    as a load balancer does, hears 200 then: it would be wrong to send nobody here. Unless something is unavailable, the
    details are told besides.
    """
    return require_safe(partial(_readyz, checks, details or {}))


def _readyz(checks: Mapping[str, Check], details: Mapping[str, Detail], request: HttpRequest) -> HttpResponse:
    found = {name: _answer_of(name, check) for name, check in checks.items()}
    amiss = [one for one in found.values() if one]
    serving = all(isinstance(one, Lacking) for one in amiss)
    body: dict[str, object] = {
        "status": "ok" if not amiss else "degraded" if serving else "unavailable",
        "checks": {name: amiss or "ok" for name, amiss in found.items()},
    }
    if serving:
        body |= {name: _told(name, detail) for name, detail in details.items()}
    ready = serving if request.GET.get("degraded") == "ok" else not amiss
    return _uncached(body, status=200 if ready else 503)


def _told(name: str, detail: Detail) -> object:
    try:
        return detail()
    except Exception as error:  # whatever it is: the service can do without this detail
        log.warning("detail_not_told", detail=name, error=f"{type(error).__name__}: {error}")
        return "not known"


def _answer_of(name: str, check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # whatever it is: the answer is "no", and the log says why
        log.warning("readiness_check_failed", check=name, error=f"{type(error).__name__}: {error}")
        return "not reachable"


def database() -> str | None:
    """Ask the database for something."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return None


def cache() -> str | None:
    """Ask Redis to answer; the cache of Django would hide that it does not. Lists are served without it."""
    try:
        get_redis_connection("default").ping()
    except (RedisError, OSError) as error:
        log.warning("cache_not_reachable", error=type(error).__name__)
        return Lacking("not reachable")
    return None


class MigrationsApplied:
    """Are all migrations applied? Asked until they are; they do not come undone while a process runs."""

    def __init__(self) -> None:
        self._applied = False

    def __call__(self) -> str | None:
        """Compare the migrations on disk with those in the database."""
        if not self._applied:
            executor = MigrationExecutor(connection)
            self._applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return None if self._applied else "not applied"


def metrics(gauges: Gauges) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view that tells what was counted, and what the gauges read, in Prometheus' text format.

    It answers 401 where REEMIO_METRICS_TOKEN is set and was not sent as a bearer token.
    """
    return require_safe(partial(_metrics, gauges))


def _metrics(gauges: Gauges, request: HttpRequest) -> HttpResponse:
    expected, sent = f"Bearer {settings.REEMIO_METRICS_TOKEN}", request.headers.get("Authorization", "")
    if settings.REEMIO_METRICS_TOKEN and not hmac.compare_digest(sent.encode(), expected.encode()):
        return HttpResponse("A bearer token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(gauges), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _uncached(body: Mapping[str, object], *, status: int) -> HttpResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
