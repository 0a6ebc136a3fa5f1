"""What the groups of staff may do with e-mail: marketers run campaigns, operators mend what got stuck."""

from django.db import migrations

from analytics.groups import grant

LOOKS = ["campaigns.view_campaign", "campaigns.view_outboxmessage", "campaigns.view_messageevent"]
GRANTS = {
    "Analyst": ["campaigns.view_campaign"],
    "Marketer": [
        *LOOKS,
        "campaigns.change_campaign",
        "campaigns.switch_campaign",
        "campaigns.try_campaign",
        "campaigns.view_stockalert",
        "campaigns.view_suppression",
        "campaigns.view_topicchoice",
        "campaigns.view_receivedmail",
    ],
    "Operator": [*LOOKS, "campaigns.switch_campaign", "campaigns.resend_outboxmessage"],
}


def give(apps, schema_editor):
    grant(apps, GRANTS)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0004_schedules"), ("campaigns", "0002_campaigns_and_ticks")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
