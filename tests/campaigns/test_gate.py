"""The gate is pure: it answers yes or no, and why, in a fixed order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import clock
from campaigns.gate import (
    REASONS,
    Limits,
    Line,
    Standing,
    Substance,
    Timing,
    broken_cap,
    first_failure,
    of_standing,
    of_substance,
    of_timing,
)

NAIROBI = ZoneInfo("Africa/Nairobi")
NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GOOD = Standing(
    sends=True, has_email=True, allowlisted=True, suppressions=frozenset(), consents=True, asked_for=False,
    topic_wanted=True,
)  # fmt: skip
FREE = Timing(zone=NAIROBI, expires_at=NOON + timedelta(hours=5))


def verdict(standing: Standing = GOOD, substance: Substance | None = None, timing: Timing = FREE) -> str:
    lines = [
        *of_standing(standing),
        *of_substance(substance or Substance(items=4)),
        *of_timing(timing, now=NOON),
    ]
    failure = first_failure(lines)
    return failure.reason if failure else "sent"


def test_the_lines_stand_in_the_order_of_the_reasons() -> None:
    lines = [*of_standing(GOOD), *of_substance(Substance(items=1)), *of_timing(FREE, now=NOON)]
    assert [line.reason for line in lines] == list(REASONS[:-1])
    assert REASONS[-1] == "render_error"
    assert verdict() == "sent"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"sends": False}, "campaign_not_live"),
        ({"has_email": False}, "no_email"),
        ({"allowlisted": False}, "not_allowlisted"),
        ({"suppressions": frozenset({"erased", "unsubscribe"})}, "suppressed_unsubscribe"),
        ({"suppressions": frozenset({"hard_bounce"})}, "suppressed_hard_bounce"),
        ({"suppressions": frozenset({"soft_bounces"})}, "suppressed_soft_bounces"),
        ({"suppressions": frozenset({"complaint"})}, "suppressed_complaint"),
        ({"suppressions": frozenset({"erased"})}, "suppressed_erased"),
        ({"consents": False}, "no_consent"),
        ({"topic_wanted": False}, "topic_off"),
        ({"purchased": True, "cart_empty": True}, "purchased"),
        ({"cart_empty": True, "cart_active_again": True}, "cart_empty"),
        ({"cart_active_again": True}, "cart_active_again"),
    ],
)
def test_standing(wrong: dict[str, object], reason: str) -> None:
    assert verdict(replace(GOOD, **wrong)) == reason  # type: ignore[arg-type]


def test_what_was_asked_for_needs_no_consent() -> None:
    assert verdict(replace(GOOD, consents=False, asked_for=True)) == "sent"


@pytest.mark.parametrize(
    ("substance", "reason"),
    [
        (Substance(items=0, lead_missing=True), "no_available_items"),
        (Substance(items=2, least=3), "below_min_items"),
        (Substance(items=0, least=3, nothing_new=True), "nothing_new"),
        (Substance(items=3, least=3), "sent"),
    ],
)
def test_substance(substance: Substance, reason: str) -> None:
    assert verdict(substance=substance) == reason


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"already_notified": True, "stock_gone": True}, "already_notified"),
        ({"stock_gone": True}, "stock_gone"),
        ({"cools_until": NOON + timedelta(seconds=1)}, "cooldown"),
        ({"cools_until": NOON}, "sent"),
        ({"reached": [NOON - timedelta(hours=15, minutes=59)]}, "frequency_cap"),
        ({"reached": [NOON - timedelta(hours=16)]}, "sent"),
        ({"reached": [NOON - timedelta(days=2 * day) for day in (1, 2, 3)]}, "frequency_cap"),
        ({"reached": [NOON - timedelta(days=2 * day) for day in (1, 2)]}, "sent"),
        ({"reached": [NOON - timedelta(hours=3)], "exempt_from_rolling": True}, "sent"),
        (
            {"reached": [NOON - timedelta(hours=3), NOON - timedelta(hours=2)], "exempt_from_rolling": True},
            "frequency_cap",
        ),
        ({"higher_priority_waits": True}, "higher_priority"),
        ({"expires_at": NOON}, "expired"),
        ({"held_out": True}, "holdout"),
        ({"held_out": True, "by_hand": True, "reached": [NOON] * 9}, "sent"),
        ({"limits": Limits(16, 3, 2, 11, 23)}, "quiet_hours_expired"),
    ],
)
def test_timing(wrong: dict[str, object], reason: str) -> None:
    assert verdict(timing=replace(FREE, **wrong)) == reason  # type: ignore[arg-type]


def test_the_verdict_says_what_it_saw() -> None:
    [line] = [line for line in of_timing(replace(FREE, reached=[NOON]), now=NOON) if line.reason == "frequency_cap"]
    assert line == Line("frequency_cap", False, "another within 16 hours")


START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=364)).map(lambda passed: START + passed)
zones = st.sampled_from(["Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"])


@given(start=moments, gaps=st.lists(st.integers(0, 60), max_size=60), zone=zones, exempt=st.booleans())
def test_no_sequence_of_mails_ever_breaks_a_cap(start: datetime, gaps: list[int], zone: str, exempt: bool) -> None:
    """Whatever asks for a mail, and whenever: what the gate lets pass keeps to the caps."""
    local, sent, now = ZoneInfo(zone), [], start
    for gap in gaps:
        now += timedelta(hours=gap)
        week = [moment for moment in sent if now - moment <= timedelta(days=7)]
        if broken_cap(Timing(local, now, reached=week, exempt_from_rolling=exempt), now=now) is None:
            sent.append(now)
    for moment in sent:
        assert sum(clock.local_day(other, local) == clock.local_day(moment, local) for other in sent) <= 2
        if not exempt:
            assert sum(timedelta(0) <= moment - other < timedelta(days=7) for other in sent) <= 3
            assert all(other == moment or abs(moment - other) >= timedelta(hours=16) for other in sent)


@given(now=moments, zone=zones, begin=st.integers(0, 23), end=st.integers(0, 23))
def test_quiet_hours_end_in_the_future_and_outside_of_themselves(
    now: datetime, zone: str, begin: int, end: int
) -> None:
    local = ZoneInfo(zone)
    until = clock.quiet_until(now, local, from_hour=begin, until_hour=end)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=25)
    # A clock that is put back at that very hour shows it twice.
    if now.astimezone(local).utcoffset() == until.astimezone(local).utcoffset():
        assert until.astimezone(local).hour == end
        assert clock.quiet_until(until, local, from_hour=begin, until_hour=end) is None


@given(now=moments, zone=zones)
def test_a_week_has_one_sunday_window_wherever_one_lives(now: datetime, zone: str) -> None:
    local = ZoneInfo(zone)
    seen = {
        window
        for hour in range(7 * 24)
        if (window := clock.sunday_window(now + timedelta(hours=hour), local, from_hour=10, until_hour=20))
    }
    assert 1 <= len(seen) <= 2
    assert len({window.occasion for window in seen}) == len(seen)
    for window in seen:
        assert window.due_at.astimezone(local).weekday() == clock.SUNDAY
        assert (window.due_at.astimezone(local).hour, window.expires_at.astimezone(local).hour) == (10, 20)
