"""Keeping the profiles that the shop sends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

_PUT = """
INSERT INTO interactions_shopper (user_id, email, name, timezone, locale, marketing_consent, attributes)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb)
ON CONFLICT (user_id) DO UPDATE SET
    email = excluded.email, name = excluded.name, timezone = excluded.timezone, locale = excluded.locale,
    marketing_consent = excluded.marketing_consent, attributes = excluded.attributes, updated_at = statement_timestamp()
RETURNING xmax = 0
"""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the shop says of a person; an empty text means that it does not say."""

    email: str = ""
    name: str = ""
    timezone: str = ""
    locale: str = ""
    marketing_consent: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


def put_shopper(*, user_id: str, profile: Profile) -> bool:
    """Make the profile the person's, whatever it was before; return whether the person is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT,
            [
                user_id, profile.email, profile.name, profile.timezone, profile.locale, profile.marketing_consent,
                json.dumps(dict(profile.attributes)),
            ],
        )  # fmt: skip
        # A row that this statement inserted has no deleting transaction yet.
        return bool(cursor.fetchone()[0])
