"""How the API describes itself: the errors that every endpoint may answer, and how a request shows its key."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

EVERYWHERE = {
    "400": "The request breaks a rule; `attr` names the field.",
    "401": "The key is missing or unknown.",
    "403": "The key may not do this.",
    "429": "Too many requests; `Retry-After` says for how many seconds to wait.",
}
NAMED_IN_THE_PATH = {"404": "What the path names does not exist."}
WITH_A_BODY = {"413": "The body is larger than 5 MiB.", "415": "The body is not `application/json`."}


class ErrorDetailSerializer(serializers.Serializer[dict[str, Any]]):
    """One thing that is wrong."""

    code = serializers.CharField(help_text="For programs: `required`, `invalid`, `not_found`, …")
    detail = serializers.CharField(help_text="For people.")
    attr = serializers.CharField(allow_null=True, help_text="The field, by its path: `interactions.3.product_id`.")


class ErrorAnswerSerializer(serializers.Serializer[dict[str, Any]]):
    """The one shape of every answer that is an error."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorDetailSerializer(many=True, allow_empty=False)  # type: ignore[assignment]  # a field, as DRF has it


class AutoSchema(SpectacularAutoSchema):
    """Adds the errors that an endpoint does not name itself."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """Return the endpoint's own answers, then the errors it shares with others.

        The library's one place for it: `extend_schema` replaces whatever is public about responses.
        """
        bodies = super()._get_response_bodies(direction)
        for code, description in self._errors().items():
            if code not in bodies:
                answer = OpenApiResponse(ErrorAnswerSerializer, description=description)
                bodies[code] = self._get_response_for_code(answer, code, direction=direction)  # type: ignore[no-untyped-call]
        return bodies

    def _errors(self) -> dict[str, str]:
        errors = dict(EVERYWHERE)
        if "{" in self.path:
            errors |= NAMED_IN_THE_PATH
        if self.method in ("POST", "PUT", "PATCH"):
            errors |= WITH_A_BODY
        return errors


def loosen_batches(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say of each list whose elements are judged one by one (the answer may be 207) that anything may be sent in it.

    A wrong element does not make the request wrong: the good ones are taken, and the answer names the others.
    """
    for operations in result["paths"].values():
        for operation in operations.values():
            if "207" in operation.get("responses", {}):
                body = operation["requestBody"]["content"]["application/json"]["schema"]
                name = body["$ref"].rpartition("/")[2]
                for field in result["components"]["schemas"][name]["properties"].values():
                    if field.get("type") == "array":
                        field["items"] = {"anyOf": [field["items"], {"description": "Refused alone, by its index."}]}
    return result


def _scheme(target: str, scheme: str, definition: dict[str, Any]) -> None:
    """Register with drf-spectacular, which knows its extensions by their being defined."""
    type(
        scheme,
        (OpenApiAuthenticationExtension,),
        {"target_class": target, "name": scheme, "get_security_definition": lambda self, auto_schema: definition},
    )


_scheme(
    "reemio.access.authentication.ApiKeyAuthentication",
    "ApiKey",
    {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Api-Key <key>`. A secret key may do everything; a publishable one may post interactions and "
        "read recommendations and search. Whether a key is needed is a setting of the installation.",
    },
)
_scheme(
    "reemio.access.authentication.AdminSessionAuthentication",
    "AdminSession",
    {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A signed-in admin may read."},
)


def name_types_once(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Drop types that stand twice in a list: a field that says itself that it may be null is told so once more."""
    _name_once(result)
    return result


def _name_once(part: Any) -> None:
    if isinstance(part, dict):
        if isinstance(part.get("type"), list):
            part["type"] = list(dict.fromkeys(part["type"]))
        for value in part.values():
            _name_once(value)
    elif isinstance(part, list):
        for value in part:
            _name_once(value)
