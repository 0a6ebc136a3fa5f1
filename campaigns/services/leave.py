"""Leaving: a topic, or everything; and coming back. Each acts at once, and twice is the same as once."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from campaigns.definitions import TOPICS
from campaigns.models import MessageEvent, OutboxMessage, Suppression, TopicChoice
from campaigns.sending.hand_off import hold_contact
from campaigns.services.suppress import lift, suppress
from campaigns.tokens import Leaving


@transaction.atomic
def leave_topic(leaving: Leaving) -> None:
    """Switch off the topic that the token names."""
    hold_contact(leaving.subjects[0])
    choose(leaving.subjects, {leaving.topic: False})
    _remember(leaving)


@transaction.atomic
def leave_everything(leaving: Leaving) -> None:
    """Send this person nothing any more."""
    hold_contact(leaving.subjects[0])
    suppress(leaving.subjects, Suppression.Reason.UNSUBSCRIBE, message=leaving.message)
    _remember(leaving)


@transaction.atomic
def choose_topics(leaving: Leaving, wanted: Collection[str]) -> None:
    """Set every topic; whoever chooses one wants mail again, unless their address is why they get none."""
    hold_contact(leaving.subjects[0])
    choose(leaving.subjects, {topic: topic in wanted for topic in TOPICS})
    if wanted:
        lift(leaving.subjects, [Suppression.Reason.UNSUBSCRIBE])
    else:
        suppress(leaving.subjects, Suppression.Reason.UNSUBSCRIBE, message=leaving.message)
        _remember(leaving)


def choose(subjects: Collection[str], topics: dict[str, bool]) -> None:
    """Store the choice of each topic for each subject (keyed hashes). One statement."""
    now = timezone.now()
    rows = [
        TopicChoice(subject_hash=subject, topic=topic, wanted=wanted, changed_at=now)
        for subject in sorted(subjects)
        for topic, wanted in sorted(topics.items())
    ]
    TopicChoice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["subject_hash", "topic"],
        update_fields=["wanted", "changed_at"],
    )


def _remember(leaving: Leaving) -> None:
    """Count it for the message, where that is still there: once, however often the button is pressed."""
    message = OutboxMessage.objects.filter(public_id=leaving.message).first()
    if message is None:
        return
    now = timezone.now()
    event = MessageEvent(
        message=message, message_ref=leaving.message, kind=MessageEvent.Kind.UNSUBSCRIBED,
        key=f"unsubscribed:{leaving.message}", occurred_at=now, applied_at=now,
    )  # fmt: skip
    MessageEvent.objects.bulk_create([event], ignore_conflicts=True)
