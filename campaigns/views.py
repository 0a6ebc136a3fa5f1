"""The pages behind the links in mails. None needs a cookie, a login or a script; `GET` and `HEAD` change nothing."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.definitions import TOPICS
from campaigns.links import home
from campaigns.models import Suppression, TopicChoice
from campaigns.services.clicks import note_click
from campaigns.services.leave import choose_topics, leave_everything, leave_topic
from campaigns.tokens import Leaving, read_leaving, read_link


@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """Send on to the stored target; an unknown token leads home. Whether it was a person is found out later."""
    link = read_link(token)
    target = note_click(*link, by_head=request.method == "HEAD") if link else None
    response = HttpResponseRedirect(target or home())
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


# Mail programs post here without a cookie (RFC 8058), so there is nothing that a forged request could borrow: the
# token alone is the permission, and all it permits is to be left alone.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page; a `POST` acts at once, and twice does no harm."""
    leaving = read_leaving(token)
    if leaving is None:
        return _unknown(request)
    # Whoever presses the mail program's button means it: all of it stops, unless the page's smaller button was chosen.
    everything = request.POST.get("what") != "topic"
    if request.method == "POST":
        if everything:
            leave_everything(leaving)
        else:
            leave_topic(leaving)
    context = {
        "done": request.method == "POST",
        "everything": everything,
        "topic": TOPICS[leaving.topic],
        "preferences": reverse("mail:preferences", args=[token]),
    }
    return _page(request, "mail/unsubscribe.html", context)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show the topics; a `POST` stores the choice."""
    leaving = read_leaving(token)
    if leaving is None:
        return _unknown(request)
    if request.method == "POST":
        if request.POST.get("what") == "everything":
            leave_everything(leaving)
        else:
            choose_topics(leaving, {name for name in request.POST.getlist("topic") if name in TOPICS})
    return _page(request, "mail/preferences.html", _choices(leaving) | {"saved": request.method == "POST"})


def _choices(leaving: Leaving) -> dict[str, Any]:
    left = Suppression.objects.filter(subject_hash__in=leaving.subjects, reason=Suppression.Reason.UNSUBSCRIBE).exists()
    off = set(
        TopicChoice.objects.filter(subject_hash__in=leaving.subjects, wanted=False).values_list("topic", flat=True)
    )
    topics = [{"name": name, "label": label, "wanted": not left and name not in off} for name, label in TOPICS.items()]
    return {"topics": topics, "left": left}


def _unknown(request: HttpRequest) -> HttpResponse:
    return _page(request, "mail/unknown.html", {}, status=404)


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, template, context | {"shop": settings.REEMIO_SHOP_NAME}, status=status)
    response["Cache-Control"] = "no-store"
    # The address holds the token: no page it leads to shall be told.
    response["Referrer-Policy"] = "no-referrer"
    return response
