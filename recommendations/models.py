"""What the engine keeps: versions of its models, tastes, popularity, and the lists it has served."""

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from pgvector.django import VectorField

from catalog.models import EMBEDDING_DIMENSIONS, Product
from recommendations.contracts import RuleAction
from recommendations.querysets import MerchandisingRuleQuerySet


class ModelVersion(models.Model):
    """One whole training: readers see the version before it until `state` turns active, in one update."""

    class State(models.TextChoices):
        """Where a version stands."""

        TRAINING = "training"
        READY = "ready"
        ACTIVE = "active"
        RETIRED = "retired"
        FAILED = "failed"

    state = models.CharField(max_length=16, choices=State, default=State.TRAINING)
    as_of = models.DateTimeField(help_text="Nothing that happened at or after this moment was learned.")
    created_at = models.DateTimeField(db_default=Now())
    activated_at = models.DateTimeField(null=True, blank=True)
    settings = models.JSONField(default=dict, help_text="How each placement scores: models, weights, rescaling.")
    figures = models.JSONField(default=dict, help_text="Counts and durations of the training.")
    evidence = models.JSONField(default=dict, help_text="Why these settings: what tuning measured.")
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="model_version_one_active")
        ]

    def __str__(self) -> str:
        return f"Version {self.pk}"


class NeighbourList(models.Model):
    """The best neighbours of one product under one model, best first: parallel arrays of at most 100 entries."""

    class Kind(models.TextChoices):
        """What makes two products neighbours."""

        ITEM_TO_ITEM = "item_to_item", "Who did this also did that"
        TOGETHER = "together", "Bought in the same orders"
        CONTENT = "content", "Alike in text"
        EASE = "ease", "Foretold by what shoppers had"
        AUDIENCE = "audience", "Had by the same shoppers"
        AUDIENCE_RECENT = "audience_recent", "Had by the same shoppers lately"
        NEXT_ORDER = "next_order", "In the order after"
        ORDER_EASE_SIZED = "order_ease_sized", "Foretold by the rest of an order"
        ORDER_EASE_SOFT = "order_ease_soft", "The same, strongly regularised"
        ORDER_EASE_BOTH = "order_ease_both", "The same, of orders and shoppers"
        CONFIDENCE = "confidence", "Share of orders, by order size"
        CONFIDENCE_SOFT = "confidence_soft", "Share of orders, by order size, softer"
        DAMPED = "damped", "Damped cosine of orders"
        FORECAST = "forecast", "What shoppers took in the weeks after"
        SEQUENCE = "sequence", "Dealt with next, in one visit"
        AUDIENCE_LONG = "audience_long", "Had by the same shoppers, over a year"
        AUDIENCE_SHORT = "audience_short", "Had by the same shoppers, over two months"

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="neighbour_lists")
    kind = models.CharField(max_length=16, choices=Kind)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    neighbours = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    supports = ArrayField(models.IntegerField(), help_text="How many shoppers or orders stand behind each.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "kind", "product"], name="neighbour_list_once")]

    def __str__(self) -> str:
        return f"{self.kind} neighbours of {self.product_id}"


class ShopperNeighbourhood(models.Model):
    """What shoppers similar to this one did, and this one did not: parallel arrays, best first."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="neighbourhoods")
    user_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=16, db_default="", help_text="Empty: the default blend's; else a signal's code.")
    products = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    supports = ArrayField(models.IntegerField(), help_text="How many similar shoppers stand behind each.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "user_id", "kind"], name="shopper_neighbourhood_once")
        ]

    def __str__(self) -> str:
        return f"Neighbourhood of {self.user_id}"


class ProductLevels(models.Model):
    """One number for each product, the same for everybody, as of its version: parallel arrays, ids ascending."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="levels")
    code = models.CharField(max_length=16, help_text="A signal's code, or “interval”: usual days between purchases.")
    products = ArrayField(models.BigIntegerField())
    values = ArrayField(models.FloatField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="product_levels_once")]

    def __str__(self) -> str:
        return f"{self.code} of version {self.version_id}"


class VisitIndex(models.Model):
    """The latest visits of a version, as a sparse matrix of visits by products, in little-endian arrays.

    `products` holds our ids (8 bytes each), `pointers` where each visit begins in `columns` (4 bytes), `columns` places
    in `products` (4 bytes), `fading` each visit's weight by its age (4 byte floats).
    """

    version = models.OneToOneField(ModelVersion, models.CASCADE, primary_key=True, related_name="visit_index")
    products = models.BinaryField()
    pointers = models.BinaryField()
    columns = models.BinaryField()
    fading = models.BinaryField()

    def __str__(self) -> str:
        return f"Visits of version {self.version_id}"


class ProductPopularity(models.Model):
    """Decayed, weighted counts of one product, as forward-decayed sums.

    `score` is Σ w·exp((t − LANDMARK)/τ) (Cormode et al. 2009, "Forward decay"): adding an event never touches the
    others, and dividing by exp((now − LANDMARK)/τ) gives the decayed count at any moment.
    """

    product = models.OneToOneField(Product, models.CASCADE, primary_key=True, related_name="popularity")
    score = models.FloatField(default=0)
    shoppers = models.IntegerField(default=0, help_text="Events counted, for the reason's text.")

    def __str__(self) -> str:
        return f"Popularity of {self.product_id}"


class Reranker(models.Model):
    """One cross-encoder that was trained on the shop's own pairs. Its weights lie in a folder; all else is here."""

    class State(models.TextChoices):
        """Where a cross-encoder stands."""

        TRAINING = "training"
        READY = "ready"
        ACTIVE = "active"
        RETIRED = "retired"
        FAILED = "failed"

    state = models.CharField(max_length=16, choices=State, default=State.TRAINING)
    as_of = models.DateTimeField(help_text="Nothing that happened at or after this moment was learned.")
    created_at = models.DateTimeField(db_default=Now())
    activated_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the weights; checked when loaded.")
    placements = models.JSONField(
        default=dict,
        help_text="By placement: “helps”, the model’s “share”, and the “fingerprint” of stage 2 as it was measured.",
    )
    figures = models.JSONField(default=dict, help_text="Counts and durations of the training.")
    evidence = models.JSONField(default=dict, help_text="By placement: what was measured, and what it says.")
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="reranker_one_active")
        ]

    def __str__(self) -> str:
        return f"Reranker {self.pk}"


class PairScores(models.Model):
    """What a cross-encoder says of the best candidates of one product: parallel arrays, computed beforehand."""

    reranker = models.ForeignKey(Reranker, models.CASCADE, related_name="pair_scores")
    relation = models.CharField(max_length=8, help_text="“next”: looked at or bought after; “together”: in one order.")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    candidates = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    scored_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # Read by every product page that is reranked.
            models.UniqueConstraint(fields=["reranker", "relation", "product"], name="pair_scores_once")
        ]

    def __str__(self) -> str:
        return f"{self.relation} scores of {self.product_id}"


class Taste(models.Model):
    """What is learned of one person: decayed sums at `as_of`; they compose, so an event only adds to them."""

    subject = models.CharField(max_length=130, primary_key=True, help_text="“u:” + user id, or “s:” + session id.")
    as_of = models.DateTimeField(help_text="The moment to which the sums are decayed.")
    vector = VectorField(dimensions=EMBEDDING_DIMENSIONS, help_text="Σ weight × decay × embedding.")
    weight = models.FloatField(help_text="Σ |weight| × decay, of the same events.")
    categories = models.JSONField(default=dict, help_text="Category path → Σ weight × decay.")
    events = models.IntegerField(default=0)

    class Meta:
        db_table = "tastes"

    def __str__(self) -> str:
        return f"Taste of {self.subject}"


class ServedList(models.Model):
    """One list as it was answered: who got what, where, at which position, from which model."""

    request_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    served_at = models.DateTimeField()
    placement = models.CharField(max_length=32, help_text="homepage, product, cart, bought_together, search or email.")
    context = models.CharField(max_length=16)
    strategy = models.CharField(max_length=16)
    user_id = models.CharField(max_length=128, blank=True)
    session_id = models.CharField(max_length=128, blank=True)
    anchors = ArrayField(models.CharField(max_length=128), default=list, help_text="The product or cart asked about.")
    products = ArrayField(models.CharField(max_length=128), help_text="The shop's ids, by position.")
    scores = ArrayField(models.FloatField())
    model_version = models.IntegerField(null=True)
    variant = models.CharField(max_length=64, blank=True, help_text="“experiment:variant”, where there was one.")
    campaign = models.CharField(max_length=64, blank=True, db_default="", help_text="The e-mail campaign's name.")
    asked_for = models.PositiveSmallIntegerField(null=True, help_text="How many products the caller wanted at most.")
    milliseconds = models.FloatField()

    class Meta:
        db_table = "served_lists"
        indexes = [
            # Read by top-recommended and the dashboards: a period.
            models.Index(fields=["served_at"], name="served_list_served_at"),
            # Read by export, erasure and a shopper's page.
            models.Index(fields=["user_id", "-served_at"], name="served_list_user", condition=~Q(user_id="")),
            # Read by merging a session and by erasure.
            models.Index(fields=["session_id"], name="served_list_session", condition=~Q(session_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.placement} list {self.request_id}"


class Experiment(models.Model):
    """A comparison on one placement: a share of the shoppers is split among variants, by a hash of who they are."""

    class State(models.TextChoices):
        """Where an experiment stands."""

        DRAFT = "draft"
        RUNNING = "running"
        FINISHED = "finished"

    key = models.SlugField(max_length=40, unique=True, help_text="Names it in served lists and exports; never changes.")
    name = models.CharField(max_length=100)
    hypothesis = models.TextField(blank=True, help_text="What you expect, and why.")
    placement = models.CharField(max_length=32, help_text="homepage, product, cart or bought_together.")
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    share = models.PositiveSmallIntegerField(default=100, help_text="Percent of shoppers who take part.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["placement"], condition=Q(state="running"), name="experiment_one_running_per_placement"
            ),
            models.CheckConstraint(condition=Q(share__gte=1, share__lte=100), name="experiment_share_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return self.name


class ExperimentVariant(models.Model):
    """One way to answer within an experiment. The first (lowest id) is what the others are compared with."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="variants")
    name = models.SlugField(max_length=20)
    weight = models.PositiveSmallIntegerField(default=1, help_text="Its part of the experiment's shoppers.")
    settings = models.JSONField(
        default=dict, blank=True, help_text="Fields of the placement's settings that it overrules, such as “weights”."
    )
    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, help_text="Empty: the active version."
    )
    merchandising = models.BooleanField(default=True, help_text="Whether merchandising rules apply.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "name"], name="experiment_variant_once"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="experiment_variant_has_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.name}"


class KeptVariant(models.Model):
    """A user who keeps the variant of the session that was merged into them, against their own hash."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="+")
    user_id = models.CharField(max_length=128)
    variant = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "experiment"], name="kept_variant_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.variant}"


class EventWeight(models.Model):
    """How much one kind of event says about a shopper's interest; the brief's table is the start."""

    interaction_type = models.CharField(max_length=24, primary_key=True)
    weight = models.FloatField()

    class Meta:
        ordering = ["-weight"]

    def __str__(self) -> str:
        return f"{self.interaction_type}: {self.weight}"


class PlacementOverride(models.Model):
    """What the admin decided about a placement, in place of what the model version that answers says."""

    placement = models.CharField(max_length=32, primary_key=True)
    settings = models.JSONField(default=dict, help_text="The fields of the placement's settings that are overruled.")

    def __str__(self) -> str:
        return f"Override of {self.placement}"


class SettingsChange(models.Model):
    """Who changed which setting of the engine, when, from what to what. Written with the change, never edited."""

    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.CharField(max_length=150, help_text="The user's name: it outlives the account.")
    subject = models.CharField(max_length=48, help_text="“event_weights”, or “placement:” and its name.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.subject} by {self.changed_by}"


class Evaluation(models.Model):
    """One run of `manage.py evaluate`: what was measured, of which version, and all figures."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    as_of = models.DateTimeField(help_text="The lists knew nothing that happened at or after this moment.")
    # Versions are pruned; what was measured of them stays.
    model_version = models.IntegerField(help_text="The number of the model version that answered.")
    settings = models.JSONField(default=dict, help_text="How each placement scored.")
    seed = models.BigIntegerField()
    seconds = models.FloatField(help_text="How long the run took, training included.")
    results = models.JSONField(help_text="The report, as in its JSON file.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Evaluation {self.pk}"


class FreshPair(models.Model):
    """What persons and orders came to have since a training began: two products both, or one (`other` is the same).

    Rows belong to the epoch of the version whose training began last before they were folded: a version and all
    later epochs together count everything once. Product 0 with itself counts orders.
    """

    product = models.BigIntegerField()
    epoch = models.BigIntegerField(help_text="The highest number of any version at the time; 0 before the first.")
    other = models.BigIntegerField()
    persons = models.IntegerField(default=0)
    orders = models.IntegerField(default=0)
    changed = models.BigIntegerField(help_text="The number of the folding that changed it last.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "epoch", "other"], name="fresh_pair_once")]
        # Read by processes that keep merged rows: what has changed since.
        indexes = [models.Index(fields=["changed"], name="fresh_pair_changed")]

    def __str__(self) -> str:
        return f"{self.product} with {self.other}"


class FreshPairsNumber(models.Model):
    """The number of the last folding that counted pairs."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"Folding {self.number}"


class MerchandisingRule(models.Model):
    """What a merchant wants: some products pinned to a place, boosted, buried or hidden, somewhere, for some time."""

    class Place(models.TextChoices):
        """Where a rule can have a say."""

        HOMEPAGE = "homepage", "Homepage"
        PRODUCT = "product", "Product page: similar products"
        BOUGHT_TOGETHER = "bought_together", "Product page: bought together"
        CART = "cart", "Cart"
        SEARCH = "search", "Search"

    class Action(models.TextChoices):
        """What a rule does; how, is told in `rules.py`."""

        PIN = RuleAction.PIN.value, "Pin to a position"
        BOOST = RuleAction.BOOST.value, "Boost"
        BURY = RuleAction.BURY.value, "Bury"
        HIDE = RuleAction.HIDE.value, "Hide"

    name = models.CharField(max_length=120, help_text="For you and your colleagues; shoppers never see it.")
    enabled = models.BooleanField(default=True, help_text="Off: the rule is kept, and does nothing.")
    action = models.CharField(max_length=8, choices=Action)
    position = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="Pin only: the place of the first product, from 1. Several products take the places after it.",
    )  # fmt: skip
    factor = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(1.01), MaxValueValidator(10)],
        help_text="Boost only: what the score is multiplied by, from 1.01 to 10.",
    )  # fmt: skip
    products = models.ManyToManyField(
        Product, blank=True, related_name="+", help_text="These products. Type a title or the shop's id."
    )
    category = models.CharField(
        max_length=500, blank=True, help_text="This category and everything below it: “Sports > Running”."
    )
    brand = models.CharField(max_length=200, blank=True)
    min_price = models.DecimalField("price from", max_digits=12, decimal_places=2, null=True, blank=True)
    max_price = models.DecimalField("price to", max_digits=12, decimal_places=2, null=True, blank=True)
    min_stock = models.PositiveIntegerField("stock from", null=True, blank=True)
    max_stock = models.PositiveIntegerField("stock to", null=True, blank=True)
    placements = ArrayField(
        models.CharField(max_length=16, choices=Place), default=list, blank=True, help_text="None chosen: everywhere."
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text="Empty: from the moment it is saved.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is switched off.")
    priority = models.SmallIntegerField(
        default=0, help_text="Where several rules fit one product, the one with the highest priority decides."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = MerchandisingRuleQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="rule_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=~Q(action="pin") | Q(position__isnull=False), name="rule_pin_has_a_position"
            ),
            models.CheckConstraint(
                condition=~Q(action="boost") | Q(factor__isnull=False), name="rule_boost_has_a_factor"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def state_at(self, moment: datetime) -> str:
        """Return where the rule stands: "off", "ended", "scheduled" or "live"; as the queryset's `in_state` does."""
        if not self.enabled:
            return "off"
        if self.ends_at is not None and self.ends_at <= moment:
            return "ended"
        return "scheduled" if self.starts_at is not None and self.starts_at > moment else "live"


class RulesVersion(models.Model):
    """A number that a trigger raises in every transaction that writes a merchandising rule: readers compare it."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"Rules version {self.version}"
