"""A campaign's pages: figures, numbers, the switch, the preview, a test, a dry run, and the demo's button."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from campaigns.admin.forms import PersonForm, TestForm, form_for
from campaigns.admin.frames import document, framed
from campaigns.models import Campaign
from campaigns.services.advance import advance
from campaigns.services.dry_run import dry_run
from campaigns.services.figures import figures_of
from campaigns.services.preview import Preview, preview, send_test
from campaigns.services.switch import switch_mode
from interactions.admin import Page
from interactions.models import Shopper

Mode = Campaign.Mode
# Only where nobody real can get a mail by it.
PLAYGROUND = not settings.PRODUCTION


@admin.register(Campaign)
class CampaignAdmin(Page):
    """The four campaigns."""

    list_display = ["name", "mode_shown", "sent", "skipped", "waiting", "unknown", "clicks"]
    list_display_links = ["name"]
    change_form_template = "admin/campaigns/campaign/change_form.html"
    actions = None

    class Media:
        css = {"all": ["campaigns/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There are four."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There are four."""
        return False

    # --- The list -------------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        """Put the figures beside each: two queries a campaign, and there are four."""
        return super().get_queryset(request).order_by("pk")

    def _figures(self, campaign: Campaign) -> Any:
        if not hasattr(campaign, "shown_figures"):
            vars(campaign)["shown_figures"] = figures_of(campaign, now=timezone.now())
        return vars(campaign)["shown_figures"]

    @admin.display(description="campaign")
    def name(self, campaign: Campaign) -> str:
        """Show its name."""
        return str(campaign)

    @admin.display(description="mode")
    def mode_shown(self, campaign: Campaign) -> str:
        """Show the mode in a word, and why it was paused."""
        return format_html(
            '<span class="mode mode-{}">{}</span> {}', campaign.mode, campaign.mode.replace("_", " "),
            campaign.mode_reason,
        )  # fmt: skip

    @admin.display(description="sent (28 days)")
    def sent(self, campaign: Campaign) -> str:
        """Count what was sent."""
        return f"{self._figures(campaign).states.get('sent', 0):,}"

    @admin.display(description="skipped")
    def skipped(self, campaign: Campaign) -> str:
        """Count what was skipped."""
        return f"{self._figures(campaign).states.get('skipped', 0):,}"

    @admin.display(description="waiting")
    def waiting(self, campaign: Campaign) -> str:
        """Count what waits."""
        return f"{self._figures(campaign).states.get('planned', 0):,}"

    @admin.display(description="unknown")
    def unknown(self, campaign: Campaign) -> str:
        """Count what a person has to look at."""
        return f"{self._figures(campaign).states.get('unknown', 0):,}"

    @admin.display(description="clicked by people")
    def clicks(self, campaign: Campaign) -> str:
        """Show human clicks per mail."""
        arms = self._figures(campaign).arms
        sent, clicked = sum(arm.sent for arm in arms), sum(arm.clicked for arm in arms)
        return f"{clicked / sent:.1%}" if sent else "–"

    # --- The page -------------------------------------------------------------------------------------------------
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Offer this campaign's own numbers."""
        return form_for(obj) if obj is not None else super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the numbers where they may be changed, as they are otherwise."""
        if obj is None:
            return super().get_fieldsets(request, obj)
        form = form_for(obj)
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ["compares_subjects", "changed_numbers"]})]
        return [
            ("Subjects", {"fields": ["compares_subjects"]}),
            ("Numbers", {"fields": [name for name in form.base_fields if name.startswith("number_")]}),
        ]

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        pages = {
            "switch": self.switch, "preview": self.preview, "preview-html": self.preview_html, "test": self.test,
            "dry-run": self.dry_run, "advance": self.advance,
        }  # fmt: skip
        ours = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"campaigns_campaign_{name}")
            for name, view in pages.items()
        ]
        return [*ours, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show figures, switch and trials above the numbers."""
        campaign = Campaign.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        extra: dict[str, Any] = {}
        if campaign is not None:
            extra = {
                "figures": figures_of(campaign, now=timezone.now()),
                "modes": [mode for mode in Mode if mode != campaign.mode],
                "may_switch": request.user.has_perm("campaigns.switch_campaign"),
                "may_try": request.user.has_perm("campaigns.try_campaign"),
                "people": _some_people(),
                "playground": PLAYGROUND,
                "sending_to": settings.EMAIL_PROVIDER,
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})

    def switch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask before the mode is switched, then switch it."""
        campaign = self._campaign(request, pk, "switch_campaign")
        mode = request.POST.get("mode") or request.GET.get("mode") or ""
        if mode not in Mode.values:
            raise Http404
        if request.method == "POST":
            switch_mode(pk, mode, now=timezone.now(), reason=request.POST.get("reason", "")[:300])
            self.log_change(request, campaign, f"Mode: {campaign.mode} → {mode}")
            self.message_user(request, f"{campaign} is now {mode.replace('_', ' ')}.", messages.SUCCESS)
            return HttpResponseRedirect(self._page(campaign))
        context = self._context(request, campaign, f"Switch {campaign}?") | {
            "mode": Mode(mode),
            "occasions": dry_run(campaign, now=timezone.now(), most=500) if mode == Mode.LIVE else None,
        }
        return TemplateResponse(request, "admin/campaigns/campaign/switch.html", context)

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what one person would get, and the verdict line by line."""
        campaign = self._campaign(request, pk, "try_campaign")
        form = PersonForm(request.GET if "user_id" in request.GET else None)
        shown = preview(campaign, form.cleaned_data["user_id"], now=timezone.now()) if form.is_valid() else None
        context = self._context(request, campaign, f"Preview of {campaign}") | {
            "form": form,
            "people": _some_people(),
            "shown": shown,
            "test_form": TestForm(initial={"user_id": shown.who.user_id}) if shown else None,
        }
        return TemplateResponse(request, "admin/campaigns/campaign/preview.html", context)

    @framed
    def preview_html(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the HTML part alone, for the frames."""
        campaign = self._campaign(request, pk, "try_campaign")
        form = PersonForm(request.GET)
        shown: Preview | None = None
        if form.is_valid():
            shown = preview(campaign, form.cleaned_data["user_id"], now=timezone.now())
        return document(shown.mail.html if shown and shown.mail else "<p>There is nothing to show.</p>")

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send one person's mail to somebody who wants to look at it."""
        campaign = self._campaign(request, pk, "try_campaign")
        form = TestForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            self.message_user(request, "Name a shopper that is known, and an address.", messages.ERROR)
            return HttpResponseRedirect(self._page(campaign))
        delivery = send_test(campaign, form.cleaned_data["user_id"], to=form.cleaned_data["to"], now=timezone.now())
        if delivery is None:
            self.message_user(request, "There is nothing to show to that person.", messages.WARNING)
        elif delivery.outcome == "accepted":
            self.message_user(request, "The test was sent.", messages.SUCCESS)
        else:
            said = f"The test was not sent: {delivery.outcome}, {delivery.detail}"
            self.message_user(request, said, messages.ERROR)
        return HttpResponseRedirect(self._page(campaign))

    def dry_run(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Count who would get a mail now, and why others would not."""
        campaign = self._campaign(request, pk, "try_campaign")
        context = self._context(request, campaign, f"Dry run of {campaign}") | {
            "found": dry_run(campaign, now=timezone.now())
        }
        return TemplateResponse(request, "admin/campaigns/campaign/dry_run.html", context)

    def advance(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let the campaign happen for one shopper now; not in production."""
        campaign = self._campaign(request, pk, "try_campaign")
        form = PersonForm(request.POST or None)
        if not PLAYGROUND or request.method != "POST" or not form.is_valid():
            self.message_user(request, "Name a shopper that is known.", messages.ERROR)
            return HttpResponseRedirect(self._page(campaign))
        message = advance(campaign, form.cleaned_data["user_id"], now=timezone.now())
        self.message_user(
            request, "Planned. The sender takes it within ten seconds; load this page again.", messages.SUCCESS
        )
        return HttpResponseRedirect(reverse("admin:campaigns_outboxmessage_change", args=[message.pk]))

    def _campaign(self, request: HttpRequest, pk: int, permission: str) -> Campaign:
        if not request.user.has_perm(f"campaigns.{permission}"):
            raise PermissionDenied
        campaign = Campaign.objects.filter(pk=pk).first()
        if campaign is None:
            raise Http404
        return campaign

    def _page(self, campaign: Campaign) -> str:
        return reverse("admin:campaigns_campaign_change", args=[campaign.pk])

    def _context(self, request: HttpRequest, campaign: Campaign, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "campaign": campaign,
            "title": title,
            "media": self.media,
        }


def _some_people() -> list[Shopper]:
    """Return a few people to offer; any other may be named."""
    return list(Shopper.objects.exclude(email="").order_by("pk")[:20])
