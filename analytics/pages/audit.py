"""Page 12: who changed what in the admin, from what to what."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.page import AUDIT, Asked, Page
from analytics.pages.parts import Empty
from analytics.pages.tables import Table
from reemio.audit.models import AuditEntry

# Who is not signed in to the admin: the command line, a background task, a migration, SQL.
NOBODY = "-"
OUTSIDE = "outside of the admin"
LONGEST = 120


def build(asked: Asked) -> Mapping[str, Any]:
    """Return what one may ask for: who was active in this time, and what was changed."""
    entries = AuditEntry.objects.filter(happened_at__range=asked.filters.period.bounds()).order_by()
    actors = sorted(set(entries.values_list("actor", flat=True)) | ({_actor(asked)} - {"", NOBODY}))
    kinds = sorted(set(entries.values_list("kind", flat=True)) | ({_kind(asked)} - {""}))
    return {
        "actors": [(name or NOBODY, name or OUTSIDE, (name or NOBODY) == _actor(asked)) for name in actors],
        "kinds": [(name, name, name == _kind(asked)) for name in kinds],
        "thing": _thing(asked),
        "kept": {name: value for name, value in asked.filters.asked.items() if name in ("from", "to", "days")},
    }


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return the changes, the latest first."""
    columns = (
        Column("happened_at", "When", "moment"),
        Column("actor", "Who"),
        Column("kind", "What"),
        Column("name", "Which"),
        Column("object_id", "Its id", only_in_files=True),
        Column("action", "Change"),
        Column("change", "Before and after", wide=True),
        Column("request_id", "Request", only_in_files=True),
    )
    none = Empty(
        "Nothing was changed.", "Choose another period, or let go of a filter: every change in the admin stands here."
    )
    return {
        "entries": Table(
            "entries",
            "Who changed what",
            columns,
            lambda most: _rows(asked, most),
            ranked=True,
            shown=200,
            empty=none,
            note="Written by the database with the change itself; nobody can edit it here. Of passwords and keys it "
            "says only that they changed.",
        )
    }


def _rows(asked: Asked, most: int | None) -> Iterator[Row]:
    entries = _entries(asked)
    for one in entries[:most] if most else entries.iterator(chunk_size=1000):
        yield {
            "happened_at": one.happened_at,
            "actor": one.actor or OUTSIDE,
            "kind": one.kind,
            "name": one.object_name or one.object_id,
            "object_id": one.object_id,
            "action": one.action,
            "change": told(one),
            "request_id": one.request_id,
        }


def _entries(asked: Asked) -> QuerySet[AuditEntry]:
    begin, end = asked.filters.period.bounds()
    found = AuditEntry.objects.filter(happened_at__gte=begin, happened_at__lt=end)
    if actor := _actor(asked):
        found = found.filter(actor="" if actor == NOBODY else actor)
    if kind := _kind(asked):
        found = found.filter(kind=kind)
    if thing := _thing(asked):
        found = found.filter(object_name__icontains=thing) | found.filter(object_id=thing)
    return found.order_by("-happened_at", "-pk")


def told(entry: AuditEntry) -> str:
    """Say what differs, column by column: “weight: 1 → 2; enabled: yes → no”; of a new or deleted row, what it held."""
    before, after = entry.before, entry.after
    names = sorted({*before, *after})
    if entry.action == AuditEntry.Action.CHANGED:
        return "; ".join(f"{name}: {_said(before.get(name))} → {_said(after.get(name))}" for name in names)
    whole = before | after
    return "; ".join(f"{name}: {_said(whole[name])}" for name in names if whole[name] not in (None, "", [], {}))


def _said(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return formats.NOTHING
        case bool():
            return "yes" if value else "no"
        case dict():
            text = ", ".join(f"{name} {_said(part)}" for name, part in value.items())
        case list():
            text = ", ".join(_said(part) for part in value)
        case _:
            text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _actor(asked: Asked) -> str:
    return asked.request.GET.get("who", "").strip()[:150]


def _kind(asked: Asked) -> str:
    return asked.request.GET.get("kind", "").strip()[:32]


def _thing(asked: Asked) -> str:
    return asked.request.GET.get("thing", "").strip().replace("\x00", "")[:200]


PAGE = Page(
    "audit",
    "Audit trail",
    "Who changed what, and what was it before?",
    build,
    tables,
    is_counted=False,
    compares=False,
    permissions=(AUDIT,),
    section="Decide",
)
