"""The local mailbox: each mail as the SMTP server got it."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from campaigns.admin.frames import document, framed
from campaigns.models import ReceivedMail
from interactions.admin import ReadOnlyAdmin


@admin.register(ReceivedMail)
class ReceivedMailAdmin(ReadOnlyAdmin):
    """Mails that were sent to this machine's mailbox; gone after a week."""

    list_display = ["received_at", "to", "subject", "size"]
    search_fields = ["subject", "recipients"]
    search_help_text = "A part of the subject or of the address."
    ordering = ["-pk"]
    show_full_result_count = False
    list_per_page = 50
    change_form_template = "admin/campaigns/receivedmail/change_form.html"
    change_list_template = "admin/campaigns/receivedmail/change_list.html"
    fields = ["received_at", "sender", "to", "subject", "size"]
    readonly_fields = ["to"]

    @admin.display(description="to")
    def to(self, mail: ReceivedMail) -> str:
        """Show the recipients."""
        return ", ".join(mail.recipients)

    def get_urls(self) -> list[URLPattern]:
        """Add the frame's address."""
        frame = path("<int:pk>/html/", self.admin_site.admin_view(self.html), name="campaigns_receivedmail_html")
        return [frame, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show headers, text and the framed HTML."""
        mail = ReceivedMail.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        extra: dict[str, object] = {}
        if mail is not None:
            parsed = parsed_of(mail)
            extra = {"headers": list(parsed.items()), "text": part_of(parsed, "plain"), "mail": mail}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})

    @framed
    def html(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the HTML part alone."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        mail = ReceivedMail.objects.filter(pk=pk).first()
        if mail is None:
            raise Http404
        return document(part_of(parsed_of(mail), "html") or SafeString("<p>This mail has no HTML part.</p>"))


def parsed_of(mail: ReceivedMail) -> EmailMessage:
    """Return the mail parsed."""
    return message_from_bytes(bytes(mail.raw), _class=EmailMessage, policy=policy.default)


def part_of(parsed: EmailMessage, kind: str) -> str:
    """Return the text of the first part of type text/`kind`, or nothing."""
    part = parsed.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
