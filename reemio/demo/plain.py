"""Browsers that run no scripts: the shop's server tells Reemio what they do, as shops without a tracker would."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from interactions.events import RefusedError
from interactions.services.record import record_interactions
from interactions.validation import read_interaction
from reemio.demo.visitors import CART_SECONDS, PLAIN_COOKIE, Visitor, begin_session, set_cookie


def is_plain(request: HttpRequest) -> bool:
    """Tell whether this browser has shown that it runs no scripts."""
    return PLAIN_COOKIE in request.COOKIES


def remember_plain(request: HttpRequest, response: HttpResponseBase) -> None:
    """Draw everything on the server for this browser from here on, in a session that the server keeps."""
    set_cookie(response, PLAIN_COOKIE, "yes", CART_SECONDS)
    if not Visitor.of(request).session_id:
        begin_session(response)


def note(visitor: Visitor, events: Iterable[Mapping[str, Any]]) -> None:
    """Record what the visitor did; what breaks the contract is passed over, as the page must not fail for it."""
    now = timezone.now()
    good = []
    for event in events:
        try:
            good.append(read_interaction({**visitor.names, **event}, now=now))
        except RefusedError:
            continue
    record_interactions(good)
