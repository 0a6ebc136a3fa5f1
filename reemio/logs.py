"""Structured logs: constant event names with keyword data, as JSON lines in production and for people elsewhere.

Who asked, and for what, is personal data: no address, no query string and no id in a path is ever logged. A request
is named by its method and its route, and found again by its `request_id`, which the answer carries too.
"""

import logging
import re
from typing import Any, cast

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

# Asked every few seconds by machines; what is amiss is logged by the check itself.
UNLOGGED_ROUTES = ("/healthz", "/readyz", "/metrics")


SOUND_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Route:
    """A request's method and route, `GET /api/v1/users/<user_id>`; read when it is written, once it is resolved."""

    def __init__(self, request: HttpRequest) -> None:
        """Keep the request."""
        self._request = request

    def __str__(self) -> str:
        match = self._request.resolver_match
        return f"{self._request.method} /{match.route}" if match else f"{self._request.method} (unknown)"

    __repr__ = __str__
    __structlog__ = __str__


class RequestLog(RequestMiddleware):
    """django-structlog's middleware, telling routes instead of addresses."""

    def prepare(self, request: HttpRequest) -> None:
        """Take on the id that a proxy gave to the request, if it is one: it goes into logs, answers and calls."""
        for name in ("HTTP_X_REQUEST_ID", "HTTP_X_CORRELATION_ID"):
            if not SOUND_ID.fullmatch(request.META.get(name, "x")):
                del request.META[name]
        super().prepare(request)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return what stands for the request in its events."""
        return cast(str, Route(request))

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Log the end of the request, and let the answer say by which id it is found in the logs."""
        response["X-Request-ID"] = structlog.contextvars.get_contextvars().get("request_id", "")
        if request.path_info not in UNLOGGED_ROUTES:
            super().handle_response(request, response)


class OnceIsEnough(logging.Filter):
    """Drops Django's own lines about requests: the middleware has logged the same, without addresses."""

    TOLD_ALREADY = frozenset({"django.request", "django.security.csrf", "django.security.DisallowedHost"})

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep all but those."""
        return record.name not in self.TOLD_ALREADY


def logging_config(*, level: str, output: str) -> dict[str, Any]:
    """Return Django's LOGGING for `output` = "json" or "console", with our own loggers at `level`."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if output == "console":
        # Without the values of local variables, which may be anybody's data.
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([structlog.processors.format_exc_info] if output != "console" else []),
    ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        "foreign_pre_chain": shared,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"once": {"()": OnceIsEnough}},
        "formatters": {"structured": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["once"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "sentence_transformers": {"level": "WARNING"},
            "django_structlog": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            # It would tell names and addresses.
            "axes": {"level": "ERROR"},
            # aiosmtpd's dialogue with a client names the addresses.
            "mail.log": {"level": "ERROR"},
        },
    }
