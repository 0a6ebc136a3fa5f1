"""The campaigns in the admin: their pages, the outbox, who is left alone, and the local mailbox."""

from campaigns.admin import campaigns, mailbox, outbox, people

__all__ = ["campaigns", "mailbox", "outbox", "people"]
