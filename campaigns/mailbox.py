"""A mail server for installations without one: keeps each mail as it came over SMTP, for the admin to show."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections

from campaigns.models import ReceivedMail
from campaigns.rendering.mail import one_line

LARGEST_MAIL = 5 * 1024 * 1024


class Keeper:
    """Takes every mail, from this machine only, and stores it before it says that it has it."""

    def __init__(self) -> None:
        """Keep one thread, so that there is one connection to the database."""
        self._thread = ThreadPoolExecutor(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Store the mail; where that fails, say so, and the sender keeps it."""
        raw = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, _keep_fresh, envelope.mail_from or "", envelope.rcpt_tos, raw)
        return "250 OK"


def _keep_fresh(sender: str, recipients: list[str], raw: bytes) -> None:
    """Store one mail over a connection that still stands: hours may have passed since the mail before."""
    close_old_connections()
    keep(sender, recipients, raw)


def keep(sender: str, recipients: list[str], raw: bytes) -> None:
    """Store one mail as it came."""
    subject = message_from_bytes(raw, policy=policy.default)["Subject"] or ""
    ReceivedMail.objects.create(
        sender=sender[:320], recipients=recipients, subject=one_line(str(subject))[:500], size=len(raw), raw=raw
    )


def serve(port: int) -> Controller:
    """Start listening on this machine's own address; the caller stops it. Raises OSError where the port is taken."""
    options: dict[str, Any] = {"decode_data": False, "data_size_limit": LARGEST_MAIL, "ident": "Reemio mailbox"}
    controller = Controller(Keeper(), hostname="127.0.0.1", port=port, **options)
    controller.start()
    return controller
