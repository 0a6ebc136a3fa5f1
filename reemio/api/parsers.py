"""The JSON parser: strict about what JSON is, and about how much of it there may be."""

from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser


class BodyTooLarge(APIException):
    """413: the body exceeds the limit."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is larger than 5 MiB."


class StrictJSONParser(JSONParser):
    """DRF's parser (it refuses NaN and Infinity), with a 413 for what is too large and a 400 for too deep."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the parsed body, or raise the error that the API promises."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RequestDataTooBig as error:
            raise BodyTooLarge from error
        except RecursionError as error:
            _refuse("JSON is nested too deeply.", error)


def _refuse(sentence: str, cause: Exception) -> NoReturn:
    raise ParseError(sentence) from cause
