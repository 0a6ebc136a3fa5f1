"""Answers of the API are about somebody, or change with stock and price: nobody on their way keeps them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def answers_are_not_kept(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Return the middleware that says so, where a view has not said otherwise."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith(settings.REEMIO_API_ROOT) and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response

    return answer
