"""The one error shape: drf-standardized-errors, for Django's own refusals too."""

import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from drf_standardized_errors.handler import ExceptionHandler as StandardHandler
from rest_framework.exceptions import APIException, NotFound

from reemio.api.parsers import BodyTooLarge

# What psycopg raises where PostgreSQL is away, starting, or has ended our connection.
STORE_AWAY = (OperationalError, InterfaceError)
RETRY_SECONDS = 2


class StoreAway(APIException):
    """The database does not answer at the moment: ask again, and nothing was done."""

    status_code = 503
    default_code = "unavailable"
    default_detail = "The service is not available at the moment; please try again."
    # Becomes `Retry-After`.
    wait = RETRY_SECONDS


class ExceptionHandler(StandardHandler):
    """Turn Django's exceptions into the API's."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Map what Django raises below DRF."""
        if isinstance(exc, RequestDataTooBig):
            return BodyTooLarge()
        if isinstance(exc, STORE_AWAY):
            return StoreAway()
        return super().convert_known_exceptions(exc)


@csrf_exempt
def unknown_endpoint(request: HttpRequest) -> HttpResponse:
    """Answer 404 for every path below /api/ that no other pattern takes."""
    return _error(404, NotFound.default_code, "There is no such endpoint.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django finds suspicious: in the API's shape below /api/, as a page elsewhere."""
    if _is_api(request):
        return _error(400, "bad_request", "The request cannot be understood.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a refusal that was raised outside of the API's views."""
    if _is_api(request):
        return _error(403, "permission_denied", "You do not have permission to perform this action.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that does not exist."""
    return unknown_endpoint(request) if _is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what broke outside of the API's views, in a middleware for example."""
    if isinstance(sys.exc_info()[1], STORE_AWAY):
        response = _error(503, StoreAway.default_code, str(StoreAway.default_detail))
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    if _is_api(request):
        return _error(500, "error", "A server error occurred.")
    return defaults.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.REEMIO_API_ROOT)


def _error(status: int, code: str, detail: str) -> HttpResponse:
    kind = "server_error" if status >= 500 else "client_error"
    return JsonResponse({"type": kind, "errors": [{"code": code, "detail": detail, "attr": None}]}, status=status)
