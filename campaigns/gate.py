"""The gate: may this mail go out, and if not, why? Pure: it is given facts and answers; no Django here.

The lines stand in the order of the reasons, and the first that fails is what is stored. Preview shows all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns import clock

SUPPRESSIONS = ("unsubscribe", "hard_bounce", "soft_bounces", "complaint", "erased")
REASONS: tuple[str, ...] = (
    "campaign_not_live", "no_email", "not_allowlisted", *(f"suppressed_{name}" for name in SUPPRESSIONS),
    "no_consent", "topic_off", "purchased", "cart_empty", "cart_active_again", "no_available_items", "below_min_items",
    "nothing_new", "already_notified", "stock_gone", "cooldown", "frequency_cap", "higher_priority",
    "quiet_hours_expired", "expired", "holdout", "render_error",
)  # fmt: skip
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the verdict: the reason that it could give, whether it passed, and what it saw."""

    reason: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the campaign, the person and what set the mail off."""

    sends: bool
    has_email: bool
    allowlisted: bool
    suppressions: frozenset[str]
    consents: bool
    asked_for: bool
    topic_wanted: bool
    purchased: bool = False
    cart_empty: bool = False
    cart_active_again: bool = False


@dataclass(frozen=True, slots=True)
class Substance:
    """What the mail would hold: how many products may be shown, how many are needed, and whether any is news."""

    items: int
    least: int = 1
    lead_missing: bool = False
    nothing_new: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The campaign's numbers that hold a mail up."""

    gap_hours: int
    most_in_week: int
    most_in_day: int
    quiet_from: int
    quiet_until: int


@dataclass(frozen=True, slots=True)
class Timing:
    """What reached the person lately, and what else waits for them. `reached` holds moments of earlier mails."""

    zone: ZoneInfo
    expires_at: datetime
    reached: Sequence[datetime] = ()
    already_notified: bool = False
    stock_gone: bool = False
    cools_until: datetime | None = None
    exempt_from_rolling: bool = False
    higher_priority_waits: bool = False
    held_out: bool = False
    by_hand: bool = False
    limits: Limits = field(default_factory=lambda: Limits(16, 3, 2, 22, 8))


def of_standing(facts: Standing) -> Iterable[Line]:
    """Judge the person and the occasion."""
    yield Line("campaign_not_live", facts.sends)
    yield Line("no_email", facts.has_email)
    yield Line("not_allowlisted", facts.allowlisted, "" if facts.allowlisted else "outside of production")
    for name in SUPPRESSIONS:
        yield Line(f"suppressed_{name}", name not in facts.suppressions)
    yield Line("no_consent", facts.consents or facts.asked_for, "asked for" if facts.asked_for else "")
    yield Line("topic_off", facts.topic_wanted)
    yield Line("purchased", not facts.purchased)
    yield Line("cart_empty", not facts.cart_empty)
    yield Line("cart_active_again", not facts.cart_active_again)


def of_substance(facts: Substance) -> Iterable[Line]:
    """Judge what there is to show."""
    counted = f"{facts.items} of at least {facts.least}"
    yield Line("no_available_items", not facts.lead_missing)
    yield Line("below_min_items", facts.nothing_new or facts.items >= facts.least, counted)
    yield Line("nothing_new", not facts.nothing_new)


def of_timing(facts: Timing, *, now: datetime) -> Iterable[Line]:
    """Judge the moment: what was sent before, what waits, and the hour."""
    yield Line("already_notified", not facts.already_notified)
    yield Line("stock_gone", not facts.stock_gone)
    cool = facts.by_hand or facts.cools_until is None or facts.cools_until <= now
    yield Line("cooldown", cool, "" if cool or not facts.cools_until else f"until {facts.cools_until:%Y-%m-%d %H:%M}")
    broken = None if facts.by_hand else broken_cap(facts, now=now)
    yield Line("frequency_cap", broken is None, broken or f"{len(facts.reached)} in seven days")
    yield Line("higher_priority", facts.by_hand or not facts.higher_priority_waits)
    quiet = waits_until(facts, now=now)
    yield Line(
        "quiet_hours_expired", quiet is None or quiet < facts.expires_at, f"quiet until {quiet}" if quiet else ""
    )
    yield Line("expired", now < facts.expires_at)
    yield Line("holdout", facts.by_hand or not facts.held_out)


def waits_until(facts: Timing, *, now: datetime) -> datetime | None:
    """Return when the person's quiet hours end, or None where the mail need not wait."""
    if facts.by_hand:
        return None
    limits = facts.limits
    return clock.quiet_until(now, facts.zone, from_hour=limits.quiet_from, until_hour=limits.quiet_until)


def broken_cap(facts: Timing, *, now: datetime) -> str | None:
    """Say which cap another mail now would break, or None."""
    today = clock.local_day(now, facts.zone)
    in_day = sum(clock.local_day(moment, facts.zone) == today for moment in facts.reached)
    if in_day >= facts.limits.most_in_day:
        return f"{in_day} on this day"
    if facts.exempt_from_rolling:
        return None
    in_week = sum(now - moment < WEEK for moment in facts.reached)
    if in_week >= facts.limits.most_in_week:
        return f"{in_week} in seven days"
    gap = timedelta(hours=facts.limits.gap_hours)
    if any(now - moment < gap for moment in facts.reached):
        return f"another within {facts.limits.gap_hours} hours"
    return None


def first_failure(lines: Iterable[Line]) -> Line | None:
    """Return the line that decides, or None where the mail may go out."""
    return next((line for line in lines if not line.passed), None)
