"""Who did what: shoppers, their events, what the engine has yet to learn of them, and the shop's inbox."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class InteractionType(models.TextChoices):
    """What a shopper can do. The weights of each are the engine's business, not the event's."""

    PURCHASE = "purchase"
    CART_ADD = "cart_add"
    WISHLIST_ADD = "wishlist_add"
    RECOMMENDATION_CLICK = "recommendation_click"
    VIEW = "view"
    RECOMMENDATION_VIEW = "recommendation_view"
    CART_REMOVE = "cart_remove"
    SEARCH = "search"


class RecommendationContext(models.TextChoices):
    """Where a recommendation was shown."""

    HOMEPAGE = "homepage"
    PRODUCT_PAGE = "product_page"
    CART = "cart"
    EMAIL = "email"


class Shopper(models.Model):
    """A person whom the shop has named to us. Events may name people for whom no such row exists yet."""

    user_id = models.CharField(max_length=128, unique=True, help_text="The shop's own id.")
    email = models.EmailField(max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    timezone = models.CharField(max_length=64, blank=True, help_text="IANA name; empty: the shop's.")
    locale = models.CharField(max_length=35, blank=True)
    marketing_consent = models.BooleanField(default=False)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(user_id=""), name="shopper_user_id_not_empty")]

    def __str__(self) -> str:
        return self.name or self.user_id


class MergedSession(models.Model):
    """A session that turned out to be a user's: what it did is theirs, and so is what it does later."""

    session_id = models.CharField(max_length=128, unique=True)
    user_id = models.CharField(max_length=128, db_index=True)
    merged_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.session_id} → {self.user_id}"


class Interaction(models.Model):
    """One event, as it was accepted. `product_id` may name a product that the mirror does not know yet."""

    interaction_type = models.CharField(max_length=24, choices=InteractionType)
    user_id = models.CharField(max_length=128, null=True, blank=True)
    session_id = models.CharField(max_length=128, null=True, blank=True)
    product_id = models.CharField(max_length=128, null=True, blank=True)
    event_id = models.CharField(max_length=64, null=True, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    quantity = models.PositiveIntegerField(null=True, blank=True)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, db_default="")
    order_id = models.CharField(max_length=128, null=True, blank=True)
    recommendation_context = models.CharField(max_length=16, blank=True, db_default="", choices=RecommendationContext)
    recommendation_position = models.PositiveIntegerField(null=True, blank=True)
    recommendation_request_id = models.UUIDField(null=True, blank=True)
    search_query = models.CharField(max_length=500, blank=True, db_default="")
    extra_data = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "user_interactions"
        constraints = [
            # Ingestion relies on it: a repeat of an event_id is a duplicate, however often and from wherever it comes.
            models.UniqueConstraint(fields=["event_id"], name="interaction_event_id_once"),
            models.CheckConstraint(
                condition=Q(user_id__isnull=False) | Q(session_id__isnull=False), name="interaction_has_a_person"
            ),
            models.CheckConstraint(
                condition=Q(interaction_type="search", product_id__isnull=True)
                | Q(~Q(interaction_type="search"), product_id__isnull=False),
                name="interaction_product_unless_search",
            ),
        ]
        indexes = [
            # Read by the taste of a known shopper, and by everything that is asked about one person.
            models.Index(
                fields=["user_id", "-occurred_at"], name="interaction_user_recent", condition=Q(user_id__isnull=False)
            ),
            # Read by the taste of a session, and by merging it.
            models.Index(
                fields=["session_id", "-occurred_at"],
                name="interaction_session_recent",
                condition=Q(session_id__isnull=False),
            ),
            # Read by back-in-stock mails: who wished for a product, or had it in the cart.
            models.Index(
                fields=["product_id", "occurred_at"],
                name="interaction_product_interest",
                condition=Q(interaction_type__in=["wishlist_add", "cart_add", "cart_remove", "purchase"]),
            ),
            # Read by top lists and by training: one kind of event over a period.
            models.Index(fields=["interaction_type", "occurred_at"], name="interaction_type_time"),
            # Read by roll-ups and by whoever asks what became of one served list.
            HashIndex(
                fields=["recommendation_request_id"],
                name="interaction_request",
                condition=Q(recommendation_request_id__isnull=False),
            ),
            # Read by attribution and refunds: the lines of one order.
            models.Index(
                fields=["order_id"],
                name="interaction_order",
                condition=Q(interaction_type="purchase", order_id__isnull=False),
            ),
            # Read by top lists: how many people viewed or bought one product.
            models.Index(
                fields=["product_id", "interaction_type", "occurred_at"],
                include=["user_id", "session_id"],
                name="interaction_product_persons",
                condition=Q(interaction_type__in=["view", "purchase"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interaction_type} of {self.product_id or self.search_query!r} at {self.occurred_at}"


class OrderRefund(models.Model):
    """What came back of an order, cancelled, refunded or returned. It may be told before the order's lines arrive.

    `products` and `quantities` are parallel, a quantity of 0 meaning all of that product; both are empty where the
    whole order came back.
    """

    order_id = models.CharField(max_length=128)
    refund_id = models.CharField(max_length=64, help_text="The shop's own; empty: the cancellation of the order.")
    products = ArrayField(models.CharField(max_length=128), default=list)
    quantities = ArrayField(models.PositiveIntegerField(), default=list)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "order_refunds"
        constraints = [models.UniqueConstraint(fields=["order_id", "refund_id"], name="order_refund_once")]

    def __str__(self) -> str:
        return f"{self.refund_id or 'Cancellation'} of order {self.order_id}"


class IntakeCount(models.Model):
    """How many events of an hour were not stored: duplicates and refused ones, by the door they came through.

    The counts of one hour are spread over a few slots, so that writers seldom wait for each other.
    """

    class Outcome(models.TextChoices):
        """Why an event was not stored."""

        DUPLICATE = "duplicate"
        REJECTED = "rejected"

    pk = models.CompositePrimaryKey("hour", "door", "outcome", "slot")
    hour = models.DateTimeField()
    door = models.CharField(max_length=8, help_text="http, inbox or import.")
    outcome = models.CharField(max_length=9, choices=Outcome)
    slot = models.SmallIntegerField()
    events = models.BigIntegerField()

    class Meta:
        db_table = "intake_counts"

    def __str__(self) -> str:
        return f"{self.events} {self.outcome} at {self.hour}"


class FreshInteraction(models.Model):
    """An event that the engine has not folded into tastes and popularity yet.

    Written in the event's own transaction and deleted in the folding one, so that each event is learned exactly
    once; until then, readers add the person's fresh events to what was folded.
    """

    # Both rows are written by one statement and no event is ever deleted: the check would double the time of a batch.
    interaction = models.OneToOneField(
        Interaction, models.CASCADE, primary_key=True, related_name="fresh", db_constraint=False
    )

    class Meta:
        db_table = "fresh_interactions"

    def __str__(self) -> str:
        return f"Fresh: {self.interaction_id}"


class RewrittenHistory(models.Model):
    """A person whose past was rewritten (merged, erased, imported): the engine recounts them from the raw events."""

    subject = models.CharField(max_length=130, primary_key=True, help_text="“u:” + user id, or “s:” + session id.")
    rewritten_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "rewritten_histories"

    def __str__(self) -> str:
        return self.subject


class InboxEvent(models.Model):
    """A row of `public.events`, which a shop that shares the database inserts instead of calling HTTP."""

    event_type = models.TextField()
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(null=True, blank=True, help_text="Why this row could not be understood.")

    class Meta:
        # Unqualified: `recommender` comes first in the search path but has no such table, so this is `public.events`.
        db_table = "events"
        managed = False

    def __str__(self) -> str:
        return f"{self.event_type} #{self.pk}"
