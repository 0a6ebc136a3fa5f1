"""Marks: how far a process' copy of a table reaches, as a PostgreSQL snapshot; and how to ask what came after.

Each row carries the id of the transaction that wrote it last (`changed_in`). What a snapshot does not see is exactly
what was written by ids from its upper bound on, or by those that were running when it was taken.
"""

from dataclasses import dataclass

# A restored backup brings transaction ids of another cluster: they would look for ever like changes of the future.
RESTAMP = "UPDATE {table} SET changed_in = 0 WHERE changed_in > pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
# Rows of `{alias}` that the mark %(snapshot)s does not see; %(floor)s lets the index find them.
UNSEEN = (
    "{alias}.changed_in >= %(floor)s"
    " AND NOT pg_visible_in_snapshot({alias}.changed_in::text::xid8, %(snapshot)s::pg_snapshot)"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A snapshot, as `pg_current_snapshot()` writes it: `lowest:next:running,running,…`."""

    snapshot: str

    @property
    def lowest(self) -> int:
        """Return the id below which everything is seen."""
        return int(self.snapshot.split(":", 1)[0])

    @property
    def next(self) -> str:
        """Return the id from which on nothing is seen."""
        return self.snapshot.split(":", 2)[1]

    @property
    def running(self) -> str:
        """Return the ids below `next` that are not seen, as PostgreSQL writes an array."""
        return "{" + self.snapshot.split(":", 2)[2] + "}"

    def parameters(self) -> dict[str, int | str]:
        """Return what `UNSEEN` asks for."""
        return {"floor": self.lowest, "snapshot": self.snapshot}


def is_behind(table: str, name: str) -> str:
    """Return the condition "a row of `table` was written after the mark": two looks at the index on `changed_in`.

    Its parameters are `<name>_next` and `<name>_running`. It stays quick under a plan that knows no values.
    """
    return f"""(
        COALESCE((SELECT max(changed_in) FROM {table}) >= %({name}_next)s::bigint, false)
        OR EXISTS (
            SELECT FROM unnest(%({name}_running)s::bigint[]) AS one
            WHERE one = (SELECT max(changed_in) FROM {table} WHERE changed_in = one)
        )
    )"""  # noqa: S608  our own names
