"""The same contract as `interactions.validation`, as JSON Schema, and the shapes of the answers: for OpenAPI only.

DRF serializers cannot say that a field depends on another, so an event's schema is written out. Nothing at run time
reads it; `tests/interactions/test_validation.py` proves that both accept the same events.
"""

from copy import deepcopy
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers

from interactions import validation
from interactions.models import InteractionType, RecommendationContext

LARGEST_BATCH = 1000
# A generator of clients must know that NUL is refused; lone surrogates are no JSON text to begin with.
NO_NUL = r"^[^\x00]*$"


def text(longest: int, **more: Any) -> dict[str, Any]:
    """Return the schema of a storable text of 1 to `longest` characters."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": NO_NUL, **more}


def optional(schema: dict[str, Any]) -> dict[str, Any]:
    """Let null stand for absence."""
    if "oneOf" in schema:
        return {**schema, "oneOf": [*schema["oneOf"], {"type": "null"}]}
    enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **enum, "type": [schema["type"], "null"]}


def _whole(lowest: int, highest: int | None = None) -> dict[str, Any]:
    return {"type": "integer", "minimum": lowest, **({} if highest is None else {"maximum": highest})}


_ID = text(validation.LONGEST_ID)
_PRICE = {
    "description": "Rounded to cents.",
    "oneOf": [
        {"type": "number", "minimum": 0, "maximum": validation.LARGEST_PRICE},
        {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$"},
    ],
}
FREE_VALUE: dict[str, Any] = {
    "description": "Any JSON without NUL characters.",
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        {"type": "string", "pattern": NO_NUL},
        {"type": "array", "items": {"$ref": "#/components/schemas/FreeValueRequest"}},
        {
            "type": "object",
            "propertyNames": {"pattern": NO_NUL},
            "additionalProperties": {"$ref": "#/components/schemas/FreeValueRequest"},
        },
    ],
}


def free_object(**more: Any) -> dict[str, Any]:
    """Return the schema of a JSON object of the shop's own; its component comes with `NewInteraction`."""
    return {"type": "object", **FREE_VALUE["anyOf"][-1], **more}


_EXTRA_DATA = {
    **free_object(),
    "description": "Free, at most 16 KiB; these keys are checked where present.",
    "properties": {
        **{name: optional(_whole(0, highest)) for name, highest in validation.EXTRA_NUMBERS.items()},
        "device": optional({"type": "string", "enum": list(validation.DEVICES)}),
        "filters": optional(free_object()),
        "sessionId": optional({**_ID, "description": "Used as `session_id` where that is absent."}),
    },
}
_FIELDS: dict[str, Any] = {
    "interaction_type": {
        "type": "string", "enum": InteractionType.values, "description": "Any letter case is understood.",
    },
    "user_id": optional(_ID),
    "session_id": optional(_ID),
    "product_id": optional({**_ID, "description": "Required, but for `search`, where it is not allowed."}),
    "event_id": optional(text(
        validation.LONGEST_EVENT_ID, description="The same `event_id` is stored once, however often it is sent.",
    )),
    "occurred_at": optional({
        "type": "string", "format": "date-time",
        "description": "Default: now. From 1970 to 24 hours ahead.",
    }),
    "quantity": optional(_whole(1, validation.LARGEST_INTEGER)),
    "unit_price": optional(_PRICE),
    "currency": optional({"type": "string", "maxLength": 3, "pattern": "^[A-Za-z]{3}$"}),
    "order_id": optional(_ID),
    "recommendation_context": optional({"type": "string", "enum": RecommendationContext.values}),
    "recommendation_position": optional(_whole(1, validation.LARGEST_INTEGER)),
    "recommendation_request_id": optional({
        "type": "string", "format": "uuid", "description": "Required on what was recommended.",
    }),
    "search_query": optional(text(validation.LONGEST_QUERY, description="Required on `search`.")),
    "extra_data": optional(_EXTRA_DATA),
}  # fmt: skip


def _there(*names: str) -> dict[str, Any]:
    """Require fields, and that they are not null."""
    return {"required": list(names), "properties": {name: {"type": "string"} for name in names}}


def _of_type(kinds: list[str], *names: str, **more: Any) -> dict[str, Any]:
    """Require fields of events of these kinds."""
    rule = _there("interaction_type", *names)
    # As a pattern: the generator of the document would make one shared enumeration of every `enum` of this field.
    rule["properties"] |= {"interaction_type": {"type": "string", "pattern": f"^({'|'.join(kinds)})$"}, **more}
    return rule


_SHOWN = [InteractionType.RECOMMENDATION_VIEW.value, InteractionType.RECOMMENDATION_CLICK.value]
_PLAIN = [kind.value for kind in InteractionType if kind.value not in [*_SHOWN, InteractionType.SEARCH.value]]
_SESSION_INSIDE = {
    "required": ["extra_data"],
    "properties": {"extra_data": {"type": "object", **_there("sessionId")}},
}
INTERACTION: dict[str, Any] = {
    "type": "object",
    "properties": _FIELDS,
    "required": ["interaction_type"],
    "allOf": [
        {"anyOf": [_there("user_id"), _there("session_id"), _SESSION_INSIDE]},
        {
            "anyOf": [
                _of_type(_PLAIN, "product_id"),
                _of_type(_SHOWN, "product_id", "recommendation_request_id"),
                _of_type(
                    [InteractionType.SEARCH.value],
                    "search_query",
                    product_id={"type": "null"},
                ),
            ]
        },
    ],
}


def _batch_of(event: dict[str, Any]) -> dict[str, Any]:
    events = {"type": "array", "minItems": 1, "maxItems": LARGEST_BATCH, "items": event}
    return {"type": "object", "properties": {"interactions": events}, "required": ["interactions"]}


class NewInteraction(serializers.Serializer[Any]):
    """A name for the schema of an event."""


class NewInteractions(serializers.Serializer[Any]):
    """A name for the schema of a batch of events."""

    interactions = NewInteraction(many=True)


class FreeValue(serializers.Serializer[Any]):
    """A name for the schema of any JSON value that can be stored."""


class _FreeValueSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = FreeValue

    def get_name(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> str:
        return "FreeValue"

    def map_serializer(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> dict[str, Any]:
        return deepcopy(FREE_VALUE)


class _NewInteractionSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = NewInteraction

    def get_name(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> str:
        return "NewInteraction"

    def map_serializer(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> dict[str, Any]:
        auto_schema.resolve_serializer(FreeValue, direction)
        return deepcopy(INTERACTION)  # what makes the document rewrites parts of it


class _NewInteractionsSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = NewInteractions

    def get_name(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> str:
        return "NewInteractions"

    def map_serializer(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> dict[str, Any]:
        return _batch_of(auto_schema.resolve_serializer(NewInteraction, direction).ref)


@extend_schema_field({"type": "string", "enum": ["validation_error", "client_error", "server_error"]})
class ErrorTypeField(serializers.CharField):
    """What kind of error it is."""


class ErrorSerializer(serializers.Serializer[Any]):
    """One thing that is wrong."""

    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True, help_text="The offending field, with its path.")


class ErrorsSerializer(serializers.Serializer[Any]):
    """The one error shape."""

    type = ErrorTypeField()
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # a field, not DRF's property


class RecordedSerializer(serializers.Serializer[Any]):
    """The answer to one event."""

    id = serializers.CharField()
    duplicate = serializers.BooleanField()


class RefusedEventSerializer(serializers.Serializer[Any]):
    """One refused event of a batch."""

    index = serializers.IntegerField(min_value=0)
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # a field, not DRF's property


class BatchReportSerializer(serializers.Serializer[Any]):
    """The answer to a batch."""

    accepted = serializers.IntegerField(min_value=0)
    duplicates = serializers.IntegerField(min_value=0)
    rejected = serializers.IntegerField(min_value=0)
    errors = RefusedEventSerializer(many=True)  # type: ignore[assignment]  # a field, not DRF's property


class RefusedBatchEntrySerializer(ErrorSerializer):
    """What is wrong with a batch, or with one event of it; then `index` and `errors` are there, too."""

    index = serializers.IntegerField(min_value=0, required=False)
    errors = ErrorSerializer(many=True, required=False)  # type: ignore[assignment]  # a field, not DRF's property


class RefusedBatchSerializer(serializers.Serializer[Any]):
    """The error shape, with a batch's report where every event was refused."""

    type = ErrorTypeField()
    errors = RefusedBatchEntrySerializer(many=True)  # type: ignore[assignment]  # a field, not DRF's property
    accepted = serializers.IntegerField(min_value=0, required=False)
    duplicates = serializers.IntegerField(min_value=0, required=False)
    rejected = serializers.IntegerField(min_value=0, required=False)


REFUSED = OpenApiResponse(ErrorsSerializer, "The body was not understood, or breaks the contract.")
TOO_LARGE = OpenApiResponse(ErrorsSerializer, "The body is larger than 5 MiB.")
