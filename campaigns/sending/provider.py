"""Handing one mail to the provider, and reading the answer as one of four: accepted, refused, rejected, unknown.

Refused: certainly nothing left, it may be tried again. Rejected: this address or this mail, for good. Unknown: it may
have left, so a machine never tries again.
"""

import re
import smtplib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from anymail.exceptions import AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout

from campaigns.sending.smtp import StagedEmailBackend

NO_SUCH_ADDRESS = re.compile(r"\s*5\.1\.[0-3]\b")
POLICY = re.compile(r"\s*5\.7\.")


class Outcome(StrEnum):
    """What the provider's answer means."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome; `detail` says it in a few words without the address; `no_such_address` asks for a suppression."""

    outcome: Outcome
    detail: str = ""
    provider_id: str = ""
    no_such_address: bool = False


class UnreachableError(Exception):
    """The provider cannot be reached at all."""


class Provider:
    """One connection to whatever `EMAIL_PROVIDER` names, kept over many mails."""

    def __init__(self) -> None:
        self._backend: Any = get_connection(settings.REEMIO_EMAIL_BACKEND)

    def open(self) -> None:
        """Connect before anything is claimed. Raises `UnreachableError`."""
        try:
            self._backend.open()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            self.close()
            raise UnreachableError(type(error).__name__) from error

    def close(self) -> None:
        """End the connection, whatever state it is in."""
        try:
            self._backend.close()
        except (OSError, smtplib.SMTPException):
            self._backend.connection = None

    def send(self, email: EmailMultiAlternatives) -> Delivery:
        """Hand the mail over. Never raises for what a provider may do; after a failure the connection is a new one."""
        staged = isinstance(self._backend, StagedEmailBackend)
        if staged:
            self._backend.before_mail()
        try:
            self._backend.send_messages([email])
        except (smtplib.SMTPException, OSError, AnymailError, ValueError) as error:
            begun = self._backend.body_begun if staged else True
            self.close()
            return _read_failure(error, body_begun=begun)
        return _read_status(email)


def _read_status(email: EmailMultiAlternatives) -> Delivery:
    """Read what anymail says of the one recipient; plain SMTP says nothing more than that it took the mail."""
    status = getattr(email, "anymail_status", None)
    if status is None or not status.recipients:
        return Delivery(Outcome.ACCEPTED)
    recipient = next(iter(status.recipients.values()))
    if recipient.status in ("invalid", "rejected", "failed"):
        return Delivery(
            Outcome.REJECTED, f"the provider says {recipient.status}", no_such_address=recipient.status == "invalid"
        )
    return Delivery(Outcome.ACCEPTED, provider_id=str(recipient.message_id or "")[:300])


def _read_failure(error: Exception, *, body_begun: bool) -> Delivery:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _read_code(code, text, body_begun=False)
    if isinstance(error, smtplib.SMTPResponseException):
        sender = isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPAuthenticationError)
        if sender and error.smtp_code >= 500:
            # Our own address or password: no reader is to blame, and none gets lost while it is mended.
            return Delivery(Outcome.REFUSED, f"SMTP {error.smtp_code} to the sender")
        return _read_code(error.smtp_code, error.smtp_error, body_begun=body_begun)
    if isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress):
        return Delivery(Outcome.REJECTED, type(error).__name__, no_such_address=True)
    if isinstance(error, AnymailRequestsAPIError):
        return _read_http(error)
    if isinstance(error, ValueError):
        return Delivery(Outcome.REJECTED, f"not a mail: {type(error).__name__}")
    name = type(error).__name__
    return Delivery(Outcome.UNKNOWN, f"{name} after the body") if body_begun else Delivery(Outcome.REFUSED, name)


def _read_code(code: int, text: bytes | str, *, body_begun: bool) -> Delivery:
    """Read an SMTP reply: 4xx may pass, 5xx is for good; what is neither is an answer that nobody understands."""
    if 400 <= code < 500:
        return Delivery(Outcome.REFUSED, f"SMTP {code}")
    if 500 <= code < 600:
        words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
        # 5.1.x is about the address; a bare 550 is, too, unless 5.7.x says that a policy is.
        gone = bool(NO_SUCH_ADDRESS.match(words)) or (code in (550, 551, 553) and not POLICY.match(words))
        return Delivery(Outcome.REJECTED, f"SMTP {code}", no_such_address=gone and not body_begun)
    return Delivery(Outcome.UNKNOWN if body_begun else Outcome.REFUSED, "an answer that is no SMTP")


def _read_http(error: AnymailRequestsAPIError) -> Delivery:
    status = error.status_code
    if status is not None and 400 <= status < 500:
        return Delivery(Outcome.REFUSED, f"HTTP {status}")
    if status is None and isinstance(error.__cause__, ConnectTimeout):
        return Delivery(Outcome.REFUSED, "ConnectTimeout")
    if status is None and isinstance(error.__cause__, NoConnection):
        # A connection that broke may have broken after the request was read.
        return Delivery(Outcome.UNKNOWN, "ConnectionError")
    return Delivery(Outcome.UNKNOWN, f"HTTP {status}")
