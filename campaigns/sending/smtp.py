"""Django's SMTP backend, which also knows whether the body of a mail had begun to leave when something broke.

Before the body was asked for, nothing can have been accepted, and trying again is safe. After it, nobody knows.
"""

import smtplib
from typing import Any

from django.core.mail.backends.smtp import EmailBackend


class _Staged:
    """Remembers that DATA was begun."""

    body_begun = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Note it, and go on."""
        self.body_begun = True
        return super().data(msg)  # type: ignore[misc, no-any-return]  # of smtplib.SMTP, with which it is combined


class _StagedSMTP(_Staged, smtplib.SMTP):
    pass


class _StagedSSL(_Staged, smtplib.SMTP_SSL):
    pass


class StagedEmailBackend(EmailBackend):
    """One connection for many mails; `body_begun` tells how far the one that failed had come."""

    @property
    def connection_class(self) -> Any:
        """Return the class of the connection."""
        return _StagedSSL if self.use_ssl else _StagedSMTP

    @property
    def body_begun(self) -> bool:
        """Tell whether the last mail's body had begun to leave."""
        return bool(getattr(self.connection, "body_begun", False))

    def before_mail(self) -> None:
        """Forget how far the mail before had come."""
        if self.connection is not None:
            vars(self.connection)["body_begun"] = False
