"""Erasing a person from e-mail: nothing is sent any more, and what is kept leads to nobody."""

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.identities import address_hash, user_hash
from campaigns.models import OutboxMessage, ReceivedMail, StockAlert, Suppression, TopicChoice
from campaigns.sending.hand_off import hold_contact
from campaigns.services.suppress import suppress

OUTBOX = OutboxMessage._meta.db_table
# Counts stay: the campaign, the state, the products. What was not sent yet is skipped, with the reason.
ANONYMISE = f"""
UPDATE {OUTBOX} SET
    user_id = '', alert_id = NULL, address_hash = '', provider_id = '', trigger = trigger - 'since',
    dedupe_key = 'erased:' || public_id,
    state = CASE WHEN state IN ('planned', 'claimed') THEN 'skipped' ELSE state END,
    reason = CASE WHEN state IN ('planned', 'claimed') THEN 'suppressed_erased' ELSE reason END,
    claim_token = CASE WHEN state IN ('planned', 'claimed') THEN NULL ELSE claim_token END,
    lease_until = CASE WHEN state IN ('planned', 'claimed') THEN NULL ELSE lease_until END,
    finished_at = coalesce(finished_at, %(now)s)
WHERE id = ANY(%(messages)s)
"""  # noqa: S608  our own table's name


@transaction.atomic
def erase_from_mail(*, user_id: str, email: str) -> None:
    """Make the person's messages anonymous, forget their alerts and mails, and never write to the address again.

    The suppression is a keyed hash of the address. Holding the contact, we wait for a mail that is being decided.
    """
    address = address_hash(email) if email else ""
    hold_contact(address)
    theirs = Q(user_id=user_id) | (Q(address_hash=address) if address else Q(pk=None))
    alerts = StockAlert.objects.filter(theirs)
    mine = Q(user_id=user_id) | Q(alert__in=alerts) | (Q(user_id="", address_hash=address) if address else Q(pk=None))
    locked = OutboxMessage.objects.select_for_update(of=("self",), no_key=True).filter(mine).order_by("pk")
    messages = list(locked.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(ANONYMISE, {"messages": messages, "now": timezone.now()})
    alerts.delete()
    TopicChoice.objects.filter(subject_hash__in=[address, user_hash(user_id)]).delete()
    Suppression.objects.filter(subject_hash=user_hash(user_id)).delete()
    if email:
        suppress([address], Suppression.Reason.ERASED)
        ReceivedMail.objects.filter(recipients__contains=[email]).delete()
