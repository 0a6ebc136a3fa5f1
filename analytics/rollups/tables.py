"""Storing what was counted: rows that are new or have changed are written, those that came to nothing are deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics.models import Grain, Rollup


@dataclass(frozen=True, slots=True)
class Table:
    """A roll-up table: its name, its dimensions, and what is counted."""

    name: str
    keys: tuple[str, ...]
    measures: tuple[str, ...]

    @classmethod
    def of(cls, model: type[Rollup]) -> "Table":
        """Return the table of a model: its primary key without the bucket, and all other columns."""
        names = [field.attname for field in model._meta.concrete_fields if field.column]
        keys = [field.attname for field in model._meta.pk_fields]
        bucket = ("grain", "starts_at")
        return cls(
            model._meta.db_table,
            tuple(name for name in keys if name not in bucket),
            tuple(name for name in names if name not in keys),
        )

    def watch(self, cursor: Any) -> None:
        """Begin to note which dimensions `store` changes, in this transaction, for `sum_up` to sum up no others."""
        cursor.execute(
            f"DROP TABLE IF EXISTS {self._changed}; CREATE TEMPORARY TABLE {self._changed} ON COMMIT DROP AS "  # noqa: S608  our own names
            f"SELECT {', '.join(self.keys)} FROM {self.name} WITH NO DATA"
        )

    def changed(self, cursor: Any) -> bool:
        """Tell whether anything was changed that was watched, and let the planner know how much."""
        cursor.execute(f"ANALYZE {self._changed}; SELECT EXISTS (SELECT FROM {self._changed})")  # noqa: S608  our own name
        cursor.nextset()
        return bool(cursor.fetchone()[0])

    def store(
        self, cursor: Any, source: str, parameters: Mapping[str, Any], *, grain: Grain, watched: bool = False
    ) -> None:
        """Make the rows of the buckets from `begin` to `end` (of `parameters`) the sums of what `source` selects.

        `source` gives `starts_at`, within its bucket, the dimensions and the measures. What has not changed is not
        written.
        """
        note = f", noted AS (INSERT INTO {self._changed} SELECT DISTINCT {', '.join(self.keys)} FROM differing)"  # noqa: S608  our own names
        self._store(cursor, source, parameters, grain=grain, more=note if watched else "")

    def sum_up(
        self, cursor: Any, parameters: Mapping[str, Any], *, of: Grain, grain: Grain, watched: bool = False
    ) -> None:
        """Make the buckets from `begin` to `end` the sums of the finer ones `of` which they consist.

        Where changes were watched, only those of the dimensions that were changed: others cannot be wrong.
        """
        only = f"AND ({', '.join(self.keys)}) IN (SELECT * FROM {self._changed})" if watched else ""  # noqa: S608  our own names
        source = f"""
            SELECT starts_at, {", ".join((*self.keys, *self.measures))} FROM {self.name}
            WHERE grain = %(of)s AND starts_at >= %(begin)s AND starts_at < %(end)s {only}
        """  # noqa: S608  made of our own names
        self._store(cursor, source, {**parameters, "of": of.value}, grain=grain, only=only)

    @property
    def _changed(self) -> str:
        return f"changed_{self.name}"

    def _store(
        self, cursor: Any, source: str, parameters: Mapping[str, Any], *, grain: Grain, only: str = "", more: str = ""
    ) -> None:
        columns = ", ".join((*self.keys, *self.measures))
        keys = ", ".join(("starts_at", *self.keys))
        was = ", ".join(f"old.{name}" for name in self.measures)
        becomes = ", ".join(f"fresh.{name}" for name in self.measures)
        # A full join is never made row by row, however wrong the planner's guess about a table that has just grown.
        cursor.execute(
            f"""
            WITH fresh AS MATERIALIZED ({self._sums(source, grain)}), differing AS MATERIALIZED (
                SELECT {keys}, {becomes}, old.was
                FROM (
                    SELECT {keys}, {", ".join(self.measures)}, ctid AS was FROM {self.name}
                    WHERE grain = %(grain)s AND starts_at >= %(begin)s AND starts_at < %(end)s {only}
                ) AS old FULL JOIN fresh USING ({keys})
                WHERE ({was}) IS DISTINCT FROM ({becomes})
            ), gone AS (
                DELETE FROM {self.name}
                WHERE ctid = ANY (ARRAY(SELECT was FROM differing WHERE {self.measures[0]} IS NULL))
            ){more}
            INSERT INTO {self.name} (grain, starts_at, {columns})
            SELECT %(grain)s, starts_at, {columns} FROM differing WHERE {self.measures[0]} IS NOT NULL ORDER BY {keys}
            ON CONFLICT (grain, {keys}) DO UPDATE
            SET {", ".join(f"{name} = excluded.{name}" for name in self.measures)}
            """,  # noqa: S608  made of our own names
            {**parameters, "grain": grain.value},
        )

    def _sums(self, source: str, grain: Grain) -> str:
        if grain is Grain.PART:
            return source
        sums = ", ".join(f"sum({name}) AS {name}" for name in self.measures)
        keys = "".join(f", {key}" for key in self.keys)
        groups = ", ".join(("1", *self.keys))
        return f"""
            SELECT date_trunc('{grain.value}', starts_at, %(zone)s) AS starts_at{keys}, {sums}
            FROM ({source}) AS finer GROUP BY {groups}
        """  # noqa: S608  made of our own names
