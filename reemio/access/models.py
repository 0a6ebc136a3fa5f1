"""API keys: shown once, stored hashed."""

import hashlib
import secrets
from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class ApiKey(models.Model):
    """A key of a storefront (publishable) or of a shop's server (secret)."""

    class Kind(models.TextChoices):
        """What a key may do."""

        SECRET = "secret", "Secret: everything, from a server"
        PUBLISHABLE = "publishable", "Publishable: interactions in, recommendations out, from a browser"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=Kind)
    prefix = models.CharField(max_length=12, editable=False, help_text="The key's beginning, to tell it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    origins = ArrayField(
        models.CharField(max_length=253),
        default=list,
        db_default=[],
        blank=True,
        help_text="Pages that may use it in a browser, https://shop.example; none: REEMIO_CORS_ORIGINS decides.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


def digest_of(key: str) -> str:
    """Return the stored form of `key`. Keys are 32 random bytes, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def issue_key(*, name: str, kind: str, origins: Sequence[str] = ()) -> tuple[ApiKey, str]:
    """Make a key; return its row and the key itself, which nobody can read again."""
    key = f"{'sk' if kind == ApiKey.Kind.SECRET else 'pk'}_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(name=name, kind=kind, prefix=key[:8], digest=digest_of(key), origins=list(origins))
    return row, key
