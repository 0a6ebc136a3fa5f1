"""What the users endpoints read and answer."""

import re
from importlib import resources
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from interactions.schema import free_object, optional, text
from interactions.validation import LONGEST_ID, wrong_object
from reemio.api.fields import AddressField, TextField

# Of the pinned package, so that every machine knows the same ones.
TIME_ZONES = frozenset(resources.files("tzdata").joinpath("zones").read_text().split())
_LOCALE = r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}"


@extend_schema_field(optional(text(200)))
class NameField(TextField):
    """A name of 1 to 200 characters, kept as it came."""


@extend_schema_field(optional({"type": "string", "enum": sorted(TIME_ZONES)}))
class TimeZoneField(TextField):
    """A time zone by its IANA name."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is no time zone."""
        name = super().to_internal_value(data)
        if name not in TIME_ZONES:
            raise serializers.ValidationError("Not the IANA name of a time zone.", "invalid_choice")
        return name


@extend_schema_field(optional({"type": "string", "maxLength": 35, "pattern": f"^{_LOCALE}$"}))
class LocaleField(TextField):
    """A language tag: `sw`, `en-KE`, `pt_BR`."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is no language tag."""
        tag = super().to_internal_value(data)
        if not re.fullmatch(_LOCALE, tag):
            raise serializers.ValidationError("Not a language tag.", "invalid")
        return tag


@extend_schema_field(optional({"type": "boolean"}))
class YesNoField(serializers.Field[bool, Any, bool, Any]):
    """A JSON boolean and nothing that only looks like one: consent is not guessed."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse every other JSON type."""
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.", "invalid")
        return data

    def to_representation(self, value: bool) -> bool:
        """Return it as it is."""
        return value


@extend_schema_field(optional(free_object(description="Free, at most 16 KiB.")))
class AttributesField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object of the shop's own."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse what is no object, or could not be stored."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("Not a JSON object.", "invalid")
        problem = wrong_object(data)
        if problem is not None:
            raise serializers.ValidationError(problem[1], problem[0])
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return it as it is."""
        return value


class ProfileInput(serializers.Serializer[Any]):
    """A profile; what is absent or null is not known, and consent that is not given is not there."""

    email = AddressField(required=False, allow_null=True, max_length=254, trim_whitespace=False)
    name = NameField(required=False, allow_null=True, max_length=200, trim_whitespace=False)
    timezone = TimeZoneField(required=False, allow_null=True, max_length=64, trim_whitespace=False)
    locale = LocaleField(required=False, allow_null=True, max_length=35, trim_whitespace=False)
    marketing_consent = YesNoField(required=False, allow_null=True)
    attributes = AttributesField(required=False, allow_null=True)


@extend_schema_field(text(LONGEST_ID))
class SessionIdField(TextField):
    """The id of a session."""


class MergeInput(serializers.Serializer[Any]):
    """The session that turned out to be the user's."""

    session_id = SessionIdField(max_length=LONGEST_ID, trim_whitespace=False)


class IdentifyInput(MergeInput):
    """A session, whose it is, and the proof."""

    user_id = SessionIdField(max_length=LONGEST_ID, trim_whitespace=False)
    token = serializers.CharField(
        required=False,
        max_length=64,
        help_text="Made on the shop's server: HMAC-SHA256 of the user's id under `REEMIO_IDENTITY_SECRET`, in hex.",
    )


class ProfileSerializer(serializers.Serializer[Any]):
    """The profile as it is kept."""

    user_id = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    timezone = serializers.CharField(allow_blank=True)
    locale = serializers.CharField(allow_blank=True)
    marketing_consent = serializers.BooleanField()
    attributes = serializers.DictField()


class CategoryShareSerializer(serializers.Serializer[Any]):
    """A department and its share of the person's interest."""

    category = serializers.CharField()
    share = serializers.FloatField(min_value=0, max_value=1)


class PriceRangeSerializer(serializers.Serializer[Any]):
    """The cheapest and the dearest product that the person took an interest in."""

    min = serializers.CharField()
    max = serializers.CharField()
    currency = serializers.CharField(allow_blank=True)


class PersonSerializer(ProfileSerializer):
    """The profile, what the person did, and what was learned."""

    interaction_counts = serializers.DictField(child=serializers.IntegerField(min_value=0))
    top_categories = CategoryShareSerializer(many=True)
    price_range = PriceRangeSerializer(allow_null=True)
    last_active_at = serializers.DateTimeField(allow_null=True)


class MergeSerializer(serializers.Serializer[Any]):
    """The answer to a merge."""

    user_id = serializers.CharField()
    session_id = serializers.CharField()
    moved = serializers.IntegerField(min_value=0, help_text="How many events this call gave to the user.")


class ExportSerializer(serializers.Serializer[Any]):
    """All that is held on a person."""

    user_id = serializers.CharField()
    exported_at = serializers.DateTimeField()
    profile = serializers.DictField(allow_null=True)
    sessions = serializers.ListField(child=serializers.DictField())
    interactions = serializers.ListField(child=serializers.DictField())
    inbox = serializers.ListField(child=serializers.DictField())
    served_lists = serializers.ListField(child=serializers.DictField())
    taste = serializers.ListField(child=serializers.DictField())
    neighbourhoods = serializers.ListField(child=serializers.DictField())
    messages = serializers.ListField(child=serializers.DictField(), help_text="E-mails, sent or not, with the reason.")
    message_events = serializers.ListField(child=serializers.DictField())
    stock_alerts = serializers.ListField(child=serializers.DictField())
    topic_choices = serializers.ListField(child=serializers.DictField())
    suppressions = serializers.ListField(child=serializers.DictField())
    received_mails = serializers.ListField(
        child=serializers.DictField(), help_text="Mails in the local mailbox, where there is no mail server."
    )
