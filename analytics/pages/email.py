"""Page 6: what e-mails were planned, sent, clicked and bought from, and why others were not sent."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from analytics import mailing, performance
from analytics.definitions import may_be_chance
from analytics.mailing import Mailed, Waiting
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.days import days_of, labels
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Alert, Chart, Empty, Series, Tile
from analytics.pages.tables import Order, Table
from campaigns.definitions import Kind

BY_HAND = "by hand "
KINDS: Mapping[str, str] = dict(Kind.choices)
MODES: Mapping[str, str] = {"draft": "draft", "dry_run": "dry run", "live": "live", "paused": "paused"}
REASONS: Mapping[str, str] = {
    "campaign_not_live": "The campaign is not live",
    "no_email": "No address is known",
    "not_allowlisted": "Not one of the addresses for trying out",
    "suppressed_unsubscribe": "Wants no mails at all",
    "suppressed_hard_bounce": "The address does not exist",
    "suppressed_soft_bounces": "The address bounced again and again",
    "suppressed_complaint": "Marked an earlier mail as spam",
    "suppressed_erased": "Was erased",
    "no_consent": "Has not agreed to mails",
    "topic_off": "Does not want this kind of mail",
    "purchased": "Has bought it meanwhile",
    "cart_empty": "The cart is empty by now",
    "cart_active_again": "Is back at the cart",
    "no_available_items": "Nothing of it can be bought",
    "below_min_items": "Too few products to show",
    "nothing_new": "Nothing new for them",
    "already_notified": "Was told before",
    "stock_gone": "Sold out again",
    "cooldown": "Had such a mail lately",
    "frequency_cap": "Has had enough mails for now",
    "higher_priority": "A more important mail waits for them",
    "quiet_hours_expired": "Quiet hours until it was too late",
    "expired": "Its time was over",
    "holdout": "Held out, to measure what mails cause",
    "render_error": "The mail could not be written",
}
_WEEK = re.compile(r"(\d{4})-W(\d\d)")
# A due mail that waits longer than this says that nothing sends.
LATE_MINUTES = 15
COUNTS = (
    Column("planned", "Planned", "number"),
    Column("skipped", "Skipped", "number"),
    Column("sent", "Sent", "number"),
    Column("delivered", "Delivered", "number"),
    Column("bounced", "Bounced", "number"),
    Column("complained", "Spam", "number"),
    Column("unsubscribed", "Left", "number"),
    Column("clicked", "Clicked by people", "number"),
    Column("click_rate", "Click rate", "rate"),
    Column("machine_share", "Clicks by machines", "rate"),
)


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the tiles, the chart, and what is wrong with the outbox."""
    period, before = asked.filters.period, asked.filters.before if asked.filters.compare else None
    now, earlier = mailing.total(period), mailing.total(before) if before else None
    earned = performance.total(period, filters=performance.Filters(context="email"))
    state = mailing.waiting()
    tiles = [
        Tile("Sent", now.sent, before=earlier and earlier.sent, better="neither"),
        Tile(
            "Clicked by people",
            now.click_rate.value,
            "percent",
            earlier and earlier.click_rate.value,
            thin=now.click_rate.is_thin,
            may_be_chance=earlier is not None and may_be_chance(now.click_rate, earlier.click_rate),
        ),
        Tile(
            "Direct revenue",
            earned.direct_revenue,
            "money",
            measure="direct_revenue",
            currency=earned.currency,
            note="by the day of the purchase",
        ),
        Tile(
            "Marked as spam",
            now.complaint_rate.value,
            "percent",
            earlier and earlier.complaint_rate.value,
            better="down",
            thin=now.complaint_rate.is_thin,
            note="keep it below 0.1 %",
            may_be_chance=earlier is not None and may_be_chance(now.complaint_rate, earlier.complaint_rate),
        ),
    ]
    machines = Tile(
        "Clicks by machines",
        now.machine_share.value,
        "percent",
        earlier and earlier.machine_share.value,
        better="neither",
        thin=now.machine_share.is_thin,
        note="scanners and previews; counted nowhere else",
        may_be_chance=earlier is not None and may_be_chance(now.machine_share, earlier.machine_share),
    )
    return {
        "tiles": [*tiles, machines],
        "charts": [_chart(asked)],
        "alerts": _alerts(state),
        "modes": _modes(state),
        "oldest_due": _oldest(state),
    }


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return campaigns, arms, and the reasons for what was not sent."""
    period = asked.filters.period
    campaign = Column("kind", "Campaign", labels=KINDS)
    earned = (
        Column("orders", "Orders", "number"),
        Column("direct_revenue", "Direct revenue", "money", "direct_revenue"),
        Column("assisted_revenue", "Assisted revenue", "money", "assisted_revenue", only_in_files=True),
    )
    rest = (
        Column("waiting", "Still to send", "number"),
        Column("unknown", "Perhaps sent", "number"),
        Column("other", "Failed, too late", "number"),
    )
    none = Empty(
        "No mail was planned in this period.",
        "Each campaign begins as a draft. Let it run dry first: it then decides, and sends nothing.",
        "Look at the campaigns",
        _campaigns(),
    )
    return {
        "campaigns": Table(
            "campaigns",
            "By campaign",
            (campaign, *COUNTS, *earned, *rest),
            lambda most: _rows(asked, mailing.by_campaign(period), "kind"),
            Order("sent"),
            none,
            note="By the day a mail was planned; what it earned counts there, too, whenever it was bought. Clicks of "
            "scanners and previews are not counted.",
        ),
        "runs": Table(
            "runs",
            "By run",
            (Column("began", "First planned", "day"), campaign, Column("run", "Run"), *COUNTS, *earned, *rest),
            lambda most: _rows(asked, mailing.by_run(period, limit=most), "kind", "run"),
            shown=20,
            ranked=True,
            empty=Empty("There was no run in this period."),
            note="A run is one week’s digest, one evening’s new products, one product’s return, or a day’s carts.",
        ),
        "reasons": Table(
            "reasons",
            "Why mails were not sent",
            (campaign, Column("reason", "Reason"), Column("messages", "Mails", "number")),
            lambda most: [
                {"kind": kind, "reason": REASONS.get(reason, reason.replace("_", " ")), "messages": count}
                for kind, reason, count in mailing.skipped(period)
            ],
            Order("messages"),
            Empty("Nothing was skipped."),
        ),
        "arms": Table(
            "arms",
            "Subjects A and B",
            (campaign, Column("arm", "Subject"), *COUNTS[2:3], *COUNTS[7:9], *earned),
            lambda most: _rows(asked, mailing.by_arm(period), "kind", "arm"),
            Order("click_rate"),
            Empty("No subjects were compared.", "A campaign with two subjects splits its mails between them."),
        ),
    }


def _campaigns() -> str:
    """Return the address of the campaigns, or the front page for an admin without them."""
    try:
        return reverse("admin:campaigns_campaign_changelist")
    except NoReverseMatch:
        return reverse("admin:index")


def _rows(asked: Asked, found: Iterable[Mailed], *by: str) -> Iterator[Row]:
    """Yield groups of mails with what they have earned, which is read once for all tables."""
    period = asked.filters.period
    earned = mailing.earned_by(asked.once("earnings", lambda: mailing.earnings(period)), *by)
    for one in found:
        more = {"click_rate": one.click_rate, "machine_share": one.machine_share, "waiting": one.waiting}
        in_words = {"run": run_in_words(one.run)}
        yield asdict(one) | more | in_words | asdict(earned[tuple(getattr(one, name) for name in by)])


def run_in_words(occasion: str) -> str:
    """Return what a run was planned for: a week, a moment at which somebody asked for it, a day, a product."""
    if week := _WEEK.fullmatch(occasion):
        return f"week {int(week[2])} of {week[1]}"
    if occasion.startswith(BY_HAND):
        return f"by hand, {formats.moment(datetime.fromisoformat(occasion.removeprefix(BY_HAND)))}"
    return occasion


def _chart(asked: Asked) -> Chart:
    period, sent = asked.filters.period, mailing.sent_by_day(asked.filters.period)
    total = sum(sent.values())
    sentence = f"{formats.plural(total, 'mail')} left in this period." if total else "No mail left in this period."
    values = [sent.get(day, 0) for day in days_of(period)]
    return Chart("sent", "Mails by day", sentence, labels(period), [Series("Sent", values)], kind="bar")


def _alerts(state: Waiting) -> list[Alert]:
    alerts = []
    late = state.oldest_due and (timezone.now() - state.oldest_due).total_seconds() > LATE_MINUTES * 60
    if late:
        alerts.append(
            Alert("bad", "Mails wait", f"The oldest was due {formats.ago(state.oldest_due)}. Is the worker running?")
        )
    if state.unknown:
        title = f"{formats.plural(state.unknown, 'mail')} perhaps sent"
        text = "The mail server did not answer in time. They are not sent again by themselves; somebody has to decide."
        alerts.append(Alert("warn", title, text))
    return alerts


def _oldest(state: Waiting) -> str:
    """Say since when the oldest mail waits that is due."""
    due = state.oldest_due
    if due is None:
        return "No mail waits to be sent."
    when = f"was due {formats.ago(due)}" if due <= timezone.now() else f"is due {formats.moment(due)}"
    return f"The oldest mail that waits {when}."


def _modes(state: Waiting) -> list[tuple[str, str]]:
    return [(KINDS.get(kind, kind), MODES.get(mode, mode)) for kind, mode in state.modes.items()]


PAGE = Page(
    "email",
    "E-mail",
    "What do the mails bring, and why were some not sent?",
    build,
    tables,
    from_replica=True,
)
