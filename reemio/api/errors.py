"""The one error shape: drf-standardized-errors, for Django's own refusals too."""

from django.core.exceptions import RequestDataTooBig
from drf_standardized_errors.handler import ExceptionHandler as StandardHandler

from reemio.api.parsers import BodyTooLarge


class ExceptionHandler(StandardHandler):  # type: ignore[misc]  # the library ships no types
    """Turn Django's exceptions into the API's."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Map what Django raises below DRF."""
        if isinstance(exc, RequestDataTooBig):
            return BodyTooLarge()
        return super().convert_known_exceptions(exc)  # type: ignore[no-any-return]
