"""From where a request comes, as far as it can be believed."""

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Return the caller's address: the peer's, or what the outermost of our own proxies has seen.

    `REEMIO_PROXY_COUNT` says how many proxies of ours stand before us; whatever a caller writes into
    `X-Forwarded-For` lies further left and is not believed.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "local")
    if not settings.REEMIO_PROXY_COUNT:
        return peer
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return hops[-min(settings.REEMIO_PROXY_COUNT, len(hops))] if hops else peer
