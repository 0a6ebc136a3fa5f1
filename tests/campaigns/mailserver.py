"""A real SMTP server that counts what each recipient got, and may be told to misbehave as providers do."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.conftest import free_port


class Inbox:
    """Takes mails. `behave` is asked before each answer to DATA, and may name another one, or break."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.behaviour = "accept"
        self.port = 0

    @property
    def counts(self) -> Counter[str]:
        """Count the mails that arrived, by recipient."""
        return Counter(recipient for recipient, _ in self.mails)

    def only(self) -> EmailMessage:
        """Return the one mail that arrived."""
        assert len(self.mails) == 1, self.counts
        return self.mails[0][1]

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.behaviour == "no_such_user":
            return "550 5.1.1 no such user"
        if self.behaviour == "busy":
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.behaviour == "full":
            return "452 4.2.2 mailbox full"
        if self.behaviour == "blocked":
            return "554 5.7.1 blocked by policy"
        parsed = message_from_bytes(envelope.content or b"", policy=policy.default)
        for recipient in envelope.rcpt_tos:
            self.mails.append((recipient, parsed))  # type: ignore[arg-type]
        if self.behaviour == "accept_then_hang":
            await asyncio.sleep(30)
        if self.behaviour == "accept_then_drop":
            server.transport.abort()
        if self.behaviour == "garbage":
            return "what? no idea"
        return "250 OK"


@contextmanager
def smtp_server() -> Iterator[tuple[Inbox, int]]:
    """Run a server on a free port until the block ends."""
    inbox, port = Inbox(), free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port, decode_data=False)
    controller.start()
    inbox.port = port
    try:
        yield inbox, port
    finally:
        controller.stop()
