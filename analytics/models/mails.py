"""What became of mails, and what they earned, by the day they were planned."""

from django.db import models


class MailRollup(models.Model):
    """What became of the mails that were planned on one day of the shop; a message counts once in each column."""

    pk = models.CompositePrimaryKey("day", "kind", "run", "arm")
    day = models.DateField()
    kind = models.CharField(max_length=24, help_text="The campaign.")
    run = models.CharField(max_length=100, help_text="The occasion: a week, a product that is back; of carts, the day.")
    arm = models.CharField(max_length=1)
    planned = models.BigIntegerField()
    skipped = models.BigIntegerField()
    sent = models.BigIntegerField()
    unknown = models.BigIntegerField()
    other = models.BigIntegerField(help_text="Failed, too late, or called off.")
    would_send = models.BigIntegerField()
    delivered = models.BigIntegerField()
    bounced = models.BigIntegerField()
    complained = models.BigIntegerField()
    unsubscribed = models.BigIntegerField()
    clicked = models.BigIntegerField(help_text="Mails that a person clicked in.")
    clicks = models.BigIntegerField(help_text="All clicks, of people and machines.")
    machine_clicks = models.BigIntegerField(help_text="Of those, by machines: scanners and previews.")

    def __str__(self) -> str:
        return f"{self.kind} of {self.day}"


class MailReasonRollup(models.Model):
    """Why mails that were planned on one day of the shop were not sent."""

    pk = models.CompositePrimaryKey("day", "kind", "reason")
    day = models.DateField()
    kind = models.CharField(max_length=24)
    reason = models.CharField(max_length=32)
    messages = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} of {self.day}: {self.reason}"


class MailEarningsRollup(models.Model):
    """What mails that were planned on one day of the shop have earned since, whenever it was bought."""

    pk = models.CompositePrimaryKey("day", "kind", "run", "arm", "currency")
    day = models.DateField()
    kind = models.CharField(max_length=24)
    run = models.CharField(max_length=100)
    arm = models.CharField(max_length=1)
    currency = models.CharField(max_length=3)
    orders = models.BigIntegerField(help_text="Orders with a product that was clicked in one of these mails.")
    direct_revenue = models.DecimalField(max_digits=24, decimal_places=2)
    assisted_revenue = models.DecimalField(max_digits=24, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.kind} of {self.day} in {self.currency}"
