"""Switching a campaign's mode."""

from datetime import datetime

from django.db import transaction

from campaigns.models import Campaign


@transaction.atomic
def switch_mode(campaign_id: int, mode: str, *, now: datetime, reason: str = "") -> Campaign:
    """Set the mode. What happened before a campaign goes live sets nothing off, unless it was only paused."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.mode == mode:
        return campaign
    if mode == Campaign.Mode.LIVE and (campaign.live_since is None or campaign.mode != Campaign.Mode.PAUSED):
        campaign.live_since = now
    campaign.mode, campaign.mode_changed_at, campaign.mode_reason = mode, now, reason
    campaign.save(update_fields=["mode", "mode_changed_at", "mode_reason", "live_since"])
    return campaign
