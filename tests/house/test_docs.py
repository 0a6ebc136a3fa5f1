"""A setting, an endpoint, a command or a periodic task that is not documented fails here; so does one that is gone."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
OURS = ("reemio", "catalog", "interactions", "recommendations", "campaigns", "analytics")


def read_settings() -> set[str]:
    text = (ROOT / "reemio" / "settings.py").read_text()
    return set(re.findall(r"env\.\w+\(\s*\"([A-Z][A-Z0-9_]+)\"", text))


def endpoints(patterns: list[Any], prefix: str = "/") -> set[str]:
    found = set()
    for pattern in patterns:
        address = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            found |= endpoints(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern) and "(?:" not in address:
            found.add(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address))
    return {address for address in found if address.startswith("/api/")}


def documented(file: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (DOCS / file).read_text()))


def test_every_setting_is_documented_and_listed() -> None:
    assert read_settings() - documented("settings.md", r"`([A-Z][A-Z0-9_]+)`") == set()
    listed = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read_settings() - listed == set()


def test_no_setting_is_documented_that_nothing_reads() -> None:
    sources = " ".join(path.read_text() for path in (ROOT / "reemio").rglob("*.py"))
    table = documented("settings.md", r"(?m)^\| `([A-Z][A-Z0-9_]+)`")
    assert {name for name in table if f'"{name}"' not in sources and name not in ("HOST", "PORT")} == set()


def test_every_endpoint_is_documented_and_no_other() -> None:
    assert endpoints(get_resolver().url_patterns) == documented("api.md", r"(?m)^\| `(/api/[^`]*)`")


def test_every_command_is_documented_and_no_other() -> None:
    ours = {name for name, app in get_commands().items() if str(app).split(".")[0] in OURS}
    assert ours == documented("commands.md", r"(?m)^\| `([a-z_]+)` \|")


@pytest.mark.django_db
def test_every_periodic_task_is_documented_and_no_other() -> None:
    from django_celery_beat.models import PeriodicTask

    ticks = set(PeriodicTask.objects.exclude(task__startswith="celery.").values_list("task", flat=True))
    assert ticks == documented("commands.md", r"(?m)^\| `([a-z_]+\.[a-z_.]+)` \|")


def test_every_target_of_make_is_documented() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):.*## ", (ROOT / "Makefile").read_text())) - {"help"}
    assert targets == documented("commands.md", r"`([a-z]+)`[,.]") & targets


def test_every_page_is_in_the_index() -> None:
    linked = documented("index.md", r"\(([a-z-]+\.md)\)")
    assert {path.name for path in DOCS.glob("*.md")} - {"index.md"} == linked


def test_no_link_leads_nowhere() -> None:
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    links = [(page, to) for page in pages for to in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())]
    assert [f"{page.name}: {to}" for page, to in links if not (page.parent / to).exists()] == []
