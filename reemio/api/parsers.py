"""The JSON parser: strict about what JSON is, and about how much of it there may be."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser


class BodyTooLarge(APIException):
    """413: the body exceeds the limit."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is larger than 5 MiB."


class StrictJSONParser(JSONParser):
    """JSON as RFC 8259 has it: in UTF-8, without NaN and numbers beyond all bounds, and of a limited size.

    DRF reads the stream itself, so that Django's limit for bodies would not be applied.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body, or raise the error that the API promises: 400 or 413."""
        try:
            body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        except RequestDataTooBig as error:
            raise BodyTooLarge from error
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
        except RecursionError as error:
            raise ParseError("JSON is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is out of range")
    return number


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
