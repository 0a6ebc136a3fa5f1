"""What a check has to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Window:
    """The moments between which the data are looked at: `since` included, `until` not."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, whether it is right, examples where it is not, and what to do."""

    name: str
    passed: bool
    said: str
    examples: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """How many rows there are, how many of them are right, and examples of others."""

    rows: int
    right: int
    examples: tuple[str, ...]

    @property
    def share(self) -> float:
        """Return the right ones' share, 0 where there is no row."""
        return self.right / self.rows if self.rows else 0.0


def measure(sql: str, window: Window, **more: Any) -> Measured:
    """Ask a query that answers one row: the number of rows, the number of right ones, and an array of examples."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"since": window.since, "until": window.until, "most": MOST_EXAMPLES, **more})
        rows, right, examples = cursor.fetchone()
    return Measured(int(rows or 0), int(right or 0), tuple(example for example in examples or () if example))


def judge(name: str, found: Measured, *, least: float, what: str, of: str, advice: str, none: str = "") -> Finding:
    """Judge a share: "97 of 100 purchases have an order id" passes from `least` (0..1) on; so does not an empty one."""
    if not found.rows:
        return Finding(name, passed=False, said=none or f"No {of} yet.", advice=advice)
    passed = found.share >= least
    said = f"{found.right:,} of {found.rows:,} {of} {what} ({found.share:.1%})."
    return Finding(name, passed, said, () if passed else found.examples, "" if passed else advice)


def passes(findings: Sequence[Finding]) -> bool:
    """Tell whether every line is right."""
    return all(finding.passed for finding in findings)
