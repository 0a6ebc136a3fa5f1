"""Mails in frames: a document of its own, in which nothing runs and which nothing of the admin reaches."""

from collections.abc import Callable
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

# Styles stand in the mail's tags, pictures come from the shop; no script, no form, no frame.
POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF, "data:", "https:", "http:"],
    "frame-ancestors": [SELF],
    "form-action": [NONE],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}
framed: Callable[[Any], Any] = method_decorator([csp_replace(POLICY), xframe_options_sameorigin])


def document(html: str) -> HttpResponse:
    """Return a mail's HTML as the frame's document; its links open outside of the frame."""
    response = HttpResponse(html.replace("<head>", '<head><base target="_blank">', 1))
    response["Cache-Control"] = "no-store"
    return response
