"""Errors to Sentry and traces to OpenTelemetry, where the environment names a receiver; nothing at all otherwise.

Both are extras: `pip install '.[observability]'`. Neither is told who asked: no address, no id of a person, no body.
"""

import os
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

CALLERS = frozenset({"http.client_ip", "client.address", "net.peer.ip", "network.peer.address", "user_agent.original",
                     "http.user_agent", "net.host.name", "http.host"})  # fmt: skip
ADDRESSES = frozenset({"http.url", "http.target", "url.full", "url.path", "url.query"})
MISSING = "{} is set, but its packages are missing: pip install '.[observability]'"


def set_up(*, process: str) -> None:
    """Connect this process (`web` or `worker`) with what `SENTRY_DSN` and `OTEL_EXPORTER_OTLP_ENDPOINT` name."""
    if settings.SENTRY_DSN:
        _report_errors()
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _trace(process)


def _report_errors() -> None:
    try:
        import sentry_sdk
    except ImportError as error:
        raise ImproperlyConfigured(MISSING.format("SENTRY_DSN")) from error
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.APP_ENV,
        send_default_pii=False,
        max_request_body_size="never",
        # Local variables hold whatever a request brought.
        include_local_variables=False,
        before_send=without_persons,
        before_breadcrumb=lambda crumb, hint: None,
    )


def without_persons(event: Any, hint: Any) -> Any:
    """Return Sentry's event with the route in place of the address; the query and the headers are dropped."""
    request = event.get("request")
    if request is not None:
        event["request"] = {"method": request.get("method", "")}
    event.pop("user", None)
    return event


def _trace(process: str) -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
        from opentelemetry.instrumentation.redis import RedisInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ImproperlyConfigured(MISSING.format("OTEL_EXPORTER_OTLP_ENDPOINT")) from error
    os.environ.setdefault("OTEL_PYTHON_DJANGO_EXCLUDED_URLS", "healthz,readyz,metrics")
    provider = TracerProvider(resource=Resource.create({"service.name": f"reemio-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(response_hook=_name_route_only)
    for instrumentor in (CeleryInstrumentor, PsycopgInstrumentor, RedisInstrumentor):
        instrumentor().instrument()


def _name_route_only(span: Any, request: Any, response: Any) -> None:
    """Put the route wherever the address stands, ids and query included; drop who called."""
    route = f"/{request.resolver_match.route}" if request.resolver_match else "(unknown)"
    for name, value in dict(span.attributes or {}).items():
        if name in CALLERS:
            span.set_attribute(name, "")
        elif name in ADDRESSES or (isinstance(value, str) and request.path in value):
            span.set_attribute(name, route)
