"""The mirror of the shop's catalogue: products, their embeddings, restocks, and the log of synchronisations."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from pgvector.django import HnswIndex, VectorField

from catalog.querysets import ProductQuerySet

EMBEDDING_DIMENSIONS = 384
CATEGORY_SEPARATOR = " > "


class Product(models.Model):
    """One product of the shop, as the shop last described it. Never deleted: history refers to it."""

    product_id = models.CharField(max_length=128, unique=True, help_text="The shop's own id.")
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=500, blank=True, help_text="A path: “Sports > Running > Shoes”.")
    brand = models.CharField(max_length=200, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    image_url = models.CharField(max_length=2000, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    stock_quantity = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: stock is not tracked.")
    is_active = models.BooleanField(default=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When its content last changed.")
    # Set by a trigger to the writing transaction's id, so that a reader can ask "what changed since my snapshot".
    changed_in = models.BigIntegerField(default=0, editable=False)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("brand", weight="B", config="english")
        + SearchVector("category", weight="C", config="english")
        + SearchVector("description", weight="D", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
        editable=False,
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(product_id=""), name="product_id_not_empty"),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0), name="product_price_not_negative"
            ),
        ]
        indexes = [
            # Read by the category filter of every list: the path itself, or whatever begins with it.
            models.Index(fields=["category"], name="product_category", opclasses=["varchar_pattern_ops"]),
            # Read by the shelf: "what changed since my snapshot".
            models.Index(fields=["changed_in"], name="product_changed_in"),
            GinIndex(fields=["search"], name="product_search"),
            # Read by search: an exact name, whatever its case.
            models.Index(Lower("title"), name="product_title_lower"),
        ]

    def __str__(self) -> str:
        return self.title


class ProductEmbedding(models.Model):
    """The vector of a product's text (unit length), kept apart from the product so that its row stays narrow."""

    product = models.OneToOneField(Product, models.CASCADE, primary_key=True, related_name="embedding")
    vector = VectorField(dimensions=EMBEDDING_DIMENSIONS)
    text_hash = models.CharField(max_length=64, help_text="Digest of model and text: embed again only if it differs.")
    model = models.CharField(max_length=200, blank=True, db_default="", help_text="The model's name.")
    updated_at = models.DateTimeField(db_default=Now())
    # Set by a trigger to the writing transaction's id, as a product's.
    changed_in = models.BigIntegerField(db_default=0, editable=False)

    class Meta:
        indexes = [
            # Read by every process' copy: "what changed since my snapshot".
            models.Index(fields=["changed_in"], name="embedding_changed_in"),
            # Read by content candidates and semantic search.
            HnswIndex(
                fields=["vector"], name="embedding_hnsw", m=16, ef_construction=64, opclasses=["vector_cosine_ops"]
            ),
        ]

    def __str__(self) -> str:
        return f"Embedding of {self.product_id}"


class EmbeddingDue(models.Model):
    """A note that a product's text is new or has changed, and waits for the model.

    A trigger writes it in the transaction that wrote the text, whoever that was; embedding deletes the notes it took.
    One product may have several: adding a note never waits for the embedder, which holds those it works on.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "embeddings due"

    def __str__(self) -> str:
        return f"Due: {self.product_id}"


class Restock(models.Model):
    """A stock that rose from 0. Back-in-stock mails start here.

    A trigger writes it in the transaction that raised the stock, whoever did: a sync, a push or the admin.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="restocks")
    stock_quantity = models.PositiveIntegerField(null=True, help_text="Empty: the stock is not tracked any more.")
    restocked_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["restocked_at"], name="restock_restocked_at")]

    def __str__(self) -> str:
        return f"{self.product} back in stock at {self.restocked_at}"


class SoldOut(models.Model):
    """A stock that fell to 0: whose cart held the product at that moment will want to know when it is back.

    A trigger writes it in the transaction that lowered the stock, as with `Restock`.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    sold_out_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "sold out"
        # Read by back-in-stock mails: when did it run out before it came back?
        indexes = [models.Index(fields=["product", "-sold_out_at"], name="sold_out_product")]

    def __str__(self) -> str:
        return f"{self.product_id} sold out at {self.sold_out_at}"


class Unavailability(models.Model):
    """A time in which a product could not be bought: out of stock, or not active. Open while `ended_at` is empty.

    A trigger writes it in the transaction that changed the product, whoever did.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="unavailabilities")
    began_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product"], condition=Q(ended_at=None), name="unavailability_one_open")
        ]
        indexes = [
            # Read by whoever checks that nothing was recommended meanwhile: what ended after a moment.
            models.Index(fields=["ended_at"], name="unavailability_ended_at")
        ]
        verbose_name_plural = "unavailabilities"

    def __str__(self) -> str:
        return f"{self.product_id} from {self.began_at}"


class CatalogSync(models.Model):
    """One run of `sync_products`, with its counts and, while it is unfinished, the point where it resumes."""

    class State(models.TextChoices):
        """Where a run stands."""

        RUNNING = "running"
        SUCCEEDED = "succeeded"
        STOPPED = "stopped", "Stopped: would deactivate too much"
        FAILED = "failed"

    source = models.CharField(max_length=16)
    location = models.CharField(max_length=2000, blank=True, help_text="File or address, without credentials.")
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    updated_since = models.DateTimeField(null=True, blank=True, help_text="Empty: a full run.")
    resume_at = models.CharField(max_length=2000, blank=True, help_text="The next page of an unfinished run.")
    active_before = models.PositiveIntegerField(default=0, help_text="Active products when the run began.")
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    vanished = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    refusals = models.JSONField(default=list, blank=True, help_text="The first refused rows, each with its reason.")
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        verbose_name = "catalog synchronisation"

    def __str__(self) -> str:
        return f"{self.source} sync of {self.started_at:%Y-%m-%d %H:%M}"


class SeenProduct(models.Model):
    """A product that an unfinished full run has met: whatever it has not met by its end has vanished.

    Kept in the database, not in the process, so that a run that resumes after a crash still knows.
    """

    sync = models.ForeignKey(CatalogSync, models.CASCADE, related_name="seen")
    product_id = models.CharField(max_length=128)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sync", "product_id"], name="seen_product_once")]

    def __str__(self) -> str:
        return self.product_id
