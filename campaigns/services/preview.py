"""A mail as one real person would get it now, with the gate's verdict line by line; nothing is kept or sent."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from campaigns.gate import Line
from campaigns.models import Campaign
from campaigns.recipients import Recipient, recipient_of_user
from campaigns.rendering.mail import Mail, RenderError, arm_of, as_email, render
from campaigns.sending.provider import Delivery, Provider
from campaigns.services.advance import occasion_for
from campaigns.situations import judge


@dataclass(frozen=True, slots=True)
class Preview:
    """The person, the verdict, and the mail; without a mail, `problem` says why there is none."""

    who: Recipient
    lines: tuple[Line, ...]
    mail: Mail | None
    problem: str = ""

    @property
    def failure(self) -> Line | None:
        """Return the line that decides, or None where the mail would go out."""
        return next((line for line in self.lines if not line.passed), None)


@transaction.atomic
def preview(campaign: Campaign, user_id: str, *, now: datetime, arm: str = "") -> Preview:
    """Return what the person would get now, and what the gate says; `arm` overrules the subject they would get."""
    who = recipient_of_user(user_id)
    message = occasion_for(campaign, user_id, now=now)
    message.by_hand = False
    judgement = judge(message, campaign, who, now=now, whole=True)
    composed = judgement.composed
    if composed is None or not composed.cards:
        return Preview(who, judgement.lines, None, "There is no product to show.")
    shown = who if who.address else Recipient(user_id, "nobody@example.com", who.name, who.zone, consents=False)
    try:
        mail = render(
            campaign.kind, shown, composed, message=uuid.uuid4(), request_id=uuid.uuid4(),
            arm=arm or arm_of(campaign.kind, who, compares=campaign.compares_subjects),
        )  # fmt: skip
    except RenderError as error:
        return Preview(who, judgement.lines, None, str(error))
    return Preview(who, judgement.lines, mail)


def send_test(campaign: Campaign, user_id: str, *, to: str, now: datetime) -> Delivery | None:
    """Send the preview of one person's mail to `to`, marked as a test; None where there is no mail to send.

    It leaves no row: its links lead home, and it counts for nobody's caps.
    """
    shown = preview(campaign, user_id, now=now)
    if shown.mail is None:
        return None
    email = as_email(shown.mail, to, message=uuid.uuid4(), kind=campaign.kind)
    email.subject = f"[Test] {email.subject}"
    # Whoever looks at a test shall not unsubscribe the person whose mail it shows.
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        email.extra_headers.pop(name, None)
    provider = Provider()
    try:
        return provider.send(email)
    finally:
        provider.close()
