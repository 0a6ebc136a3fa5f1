"""What analytics keeps: conversions, roll-ups by time, what is yet to be counted; and who may look at it.

Every roll-up row stands for one bucket of time (`grain` and `starts_at`, cut in the shop's time zone) and one
combination of dimensions. A part has five minutes; rows of each coarser grain are sums of those of the finer one. Parts
and hours are kept for some days only (`rollups.ranges`). An empty text in a dimension means unknown, never all. What
each figure means stands in `definitions.py`; how it is counted in `rollups/`.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from interactions.models import Interaction
from recommendations.models import Experiment


class Dashboard(models.Model):
    """No table: the holder of the dashboard's permissions."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_analytics", "Can look at the analytics pages"),
            ("export_analytics", "Can download analytics as CSV"),
            ("view_personal_data", "Can look at single shoppers"),
            ("change_engine_settings", "Can change event weights, decay and placement settings"),
        ]

    def __str__(self) -> str:
        return "Dashboard"


class TouchedPart(models.Model):
    """A note that something was written that happened within these five minutes: its buckets are due for a recount.

    Triggers write it in the transaction that wrote the events or lists, whoever that was; the recount deletes what it
    counted. One part may have many: adding a note never waits for another.
    """

    starts_at = models.DateTimeField(db_index=True)
    visit = models.UUIDField(null=True, help_text="A visit of that day that is no more what was counted.")

    class Meta:
        db_table = "touched_parts"

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class TouchedEvent(models.Model):
    """A note that a purchase or a click was written or changed, whose attribution is due. Written by triggers."""

    interaction_id = models.BigIntegerField()

    class Meta:
        db_table = "touched_events"

    def __str__(self) -> str:
        return f"Touched: {self.interaction_id}"


class Conversion(models.Model):
    """One order line that a recommendation is credited with; `attribution.py` says when. At most one for each line.

    `units` and `revenue` are what is left after refunds; a line that came back whole has 0 of both, and is no
    conversion any more.
    """

    class Kind(models.TextChoices):
        """Whether the line's own product was clicked, or another one of its order."""

        DIRECT = "direct"
        ASSISTED = "assisted"

    # Events are never deleted, and written millions at a time: the ids need no constraint.
    purchase = models.OneToOneField(
        Interaction, models.CASCADE, primary_key=True, related_name="conversion", db_constraint=False
    )
    kind = models.CharField(max_length=8, choices=Kind)
    click = models.ForeignKey(Interaction, models.CASCADE, related_name="+", db_constraint=False)
    request_id = models.UUIDField(help_text="The served list that is credited.")
    product_id = models.CharField(max_length=128, help_text="What was bought.")
    clicked_at = models.DateTimeField()
    purchased_at = models.DateTimeField()
    units = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=24, decimal_places=2)
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "conversions"
        indexes = [
            # Read by the roll-ups and the shopper's page: a period.
            models.Index(fields=["purchased_at"], name="conversion_purchased_at"),
            # Read by e-mail figures and by the arrival of a list.
            models.Index(fields=["request_id"], name="conversion_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} conversion of {self.purchase_id}"


class Grain(models.TextChoices):
    """How long a bucket is: five minutes, or an hour, a day or a week (from Monday on) of the shop."""

    PART = "part"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Rollup(models.Model):
    """One bucket of time: `starts_at` is the beginning of the shop's hour or day."""

    grain = models.CharField(max_length=4, choices=Grain)
    starts_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.grain} from {self.starts_at}"


class ByList(Rollup):
    """The dimensions of whatever a served list explains.

    `position` 0 holds what belongs to whole lists, or to an unknown position. `device` is known of impressions, clicks
    and conversions only. `variant` is “experiment:variant”. `campaign` names the e-mail campaign.
    """

    context = models.CharField(max_length=16, help_text="homepage, product_page, cart, email or search.")
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    variant = models.CharField(max_length=64)
    campaign = models.CharField(max_length=64)
    position = models.SmallIntegerField()
    device = models.CharField(max_length=16)

    class Meta:
        abstract = True


LIST_DIMENSIONS = ("context", "placement", "strategy", "variant", "campaign", "position", "device")


class RecommendationRollup(ByList):
    """What was served, seen and clicked, by list dimensions."""

    pk = models.CompositePrimaryKey("grain", "starts_at", *LIST_DIMENSIONS)
    lists = models.BigIntegerField(help_text="Lists served; at position 0.")
    empty_lists = models.BigIntegerField(help_text="Lists without any product; at position 0.")
    asked = models.BigIntegerField(help_text="Places asked for, of lists that know their limit; at position 0.")
    filled = models.BigIntegerField(help_text="Products in those lists; at position 0.")
    items = models.BigIntegerField(help_text="Products served, by position.")
    impressions = models.BigIntegerField()
    unique_impressions = models.BigIntegerField()
    clicks = models.BigIntegerField()


class EarningsRollup(ByList):
    """What was earned, by the dimensions of the credited list and by currency, at the time of the purchase."""

    pk = models.CompositePrimaryKey("grain", "starts_at", *LIST_DIMENSIONS, "currency")
    currency = models.CharField(max_length=3)
    conversions = models.BigIntegerField()
    assisted_lines = models.BigIntegerField()
    direct_revenue = models.DecimalField(max_digits=24, decimal_places=2)
    assisted_revenue = models.DecimalField(max_digits=24, decimal_places=2)


class LatencyRollup(Rollup):
    """How many lists took how long: a histogram whose bucket `n` ends at 2^(n / 8) milliseconds."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "placement", "bucket")
    placement = models.CharField(max_length=32)
    bucket = models.SmallIntegerField()
    lists = models.BigIntegerField()


class ProductRollup(Rollup):
    """What happened to one product (the shop's id; it need not be in the mirror)."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "product_id")
    product_id = models.CharField(max_length=128)
    views = models.BigIntegerField()
    cart_adds = models.BigIntegerField()
    recommended = models.BigIntegerField(help_text="Times it stood in a served list.")
    impressions = models.BigIntegerField()
    clicks = models.BigIntegerField()
    mail_impressions = models.BigIntegerField(db_default=0, help_text="Of the impressions, those of e-mails.")
    mail_clicks = models.BigIntegerField(db_default=0, help_text="Of the clicks, those in e-mails.")
    out_of_stock = models.BigIntegerField(help_text="Times it was served while it could not be bought: must be 0.")

    class Meta:
        indexes = [
            # Read by the overview's alert, and by the ranking that shall be empty.
            models.Index(fields=["grain", "starts_at"], name="served_out_of_stock", condition=Q(out_of_stock__gt=0)),
        ]


class SalesRollup(Rollup):
    """What was bought of one product in one currency, less what came back."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "product_id", "currency")
    product_id = models.CharField(max_length=128)
    currency = models.CharField(max_length=3)
    purchases = models.BigIntegerField(help_text="Order lines of which something was kept.")
    units = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=24, decimal_places=2)


class ProductDetailRollup(Rollup):
    """What a product's row of `ProductRollup` is made of; read where a page is narrowed, as it has many more rows.

    Events that no list explains have neither placement nor strategy; what was served knows no device.
    """

    pk = models.CompositePrimaryKey("grain", "starts_at", "placement", "strategy", "device", "product_id")
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    device = models.CharField(max_length=16)
    product_id = models.CharField(max_length=128)
    views = models.IntegerField()
    cart_adds = models.IntegerField()
    recommended = models.IntegerField()
    impressions = models.IntegerField()
    clicks = models.IntegerField()
    mail_impressions = models.IntegerField(db_default=0)
    mail_clicks = models.IntegerField(db_default=0)
    out_of_stock = models.IntegerField()


class SalesDetailRollup(Rollup):
    """What a product's row of `SalesRollup` is made of, by device; and what of it lists are credited with directly.

    Purchases, units and revenue have neither placement nor strategy, and the device of the purchase; conversions and
    direct revenue have those of the credited list, and the device of the click.
    """

    pk = models.CompositePrimaryKey("grain", "starts_at", "placement", "strategy", "device", "product_id", "currency")
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    device = models.CharField(max_length=16)
    product_id = models.CharField(max_length=128)
    currency = models.CharField(max_length=3)
    purchases = models.BigIntegerField()
    units = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=24, decimal_places=2)
    conversions = models.BigIntegerField()
    direct_revenue = models.DecimalField(max_digits=24, decimal_places=2)


class SearchRollup(Rollup):
    """One search text (lower case, at most 100 characters); the rare ones of an hour are pooled under “”."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "query")
    query = models.CharField(max_length=100)
    searches = models.BigIntegerField()
    without_results = models.BigIntegerField(help_text="Searches whose event said that nothing was found.")
    clicks = models.BigIntegerField(help_text="Products clicked in served results.")


class SearchClickRollup(Rollup):
    """What was clicked in the results of one search text."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "query", "product_id")
    query = models.CharField(max_length=100)
    product_id = models.CharField(max_length=128)
    clicks = models.BigIntegerField()


class SearchDetailRollup(Rollup):
    """What a row of `SearchRollup` is made of, by the device of the search, or of the click."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "device", "query")
    device = models.CharField(max_length=16)
    query = models.CharField(max_length=100)
    searches = models.BigIntegerField()
    without_results = models.BigIntegerField()
    clicks = models.BigIntegerField()


class SearchClickDetailRollup(Rollup):
    """What a row of `SearchClickRollup` is made of, by the device of the click."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "device", "query", "product_id")
    device = models.CharField(max_length=16)
    query = models.CharField(max_length=100)
    product_id = models.CharField(max_length=128)
    clicks = models.BigIntegerField()


class EventRollup(Rollup):
    """Events of one type, as they occurred."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "interaction_type")
    interaction_type = models.CharField(max_length=24)
    events = models.BigIntegerField()
    unknown_products = models.BigIntegerField(help_text="Of those, about products that the mirror did not know.")
    late = models.BigIntegerField(help_text="Of those, received more than an hour after they occurred.")


class VisitRollup(Rollup):
    """How far visits came, by day only: those without any recommendation, that saw one, that clicked one.

    With `placement` or `strategy`, only lists of that kind count as seen and clicked; rows without either count all
    lists, and visits that met none. `device` is the last by name of those that the visit's events told.
    """

    class Segment(models.TextChoices):
        """How much a visit had to do with recommendations."""

        NONE = "none"
        SAW = "saw"
        CLICKED = "clicked"

    pk = models.CompositePrimaryKey("grain", "starts_at", "device", "placement", "strategy", "segment")
    device = models.CharField(max_length=16)
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    segment = models.CharField(max_length=8, choices=Segment)
    visits = models.BigIntegerField()
    viewed = models.BigIntegerField()
    saw = models.BigIntegerField()
    clicked = models.BigIntegerField()
    carted = models.BigIntegerField()
    purchased = models.BigIntegerField()


class Visit(models.Model):
    """What happened in one visit of the last days: bits that only ever get more, from which the funnel is counted."""

    pk = models.CompositePrimaryKey("day", "visit")
    day = models.DateField()
    visit = models.UUIDField(help_text="Digest of the session, or of the person.")
    steps = models.SmallIntegerField(help_text="1 viewed, 2 saw, 4 clicked, 8 carted, 16 purchased.")
    device = models.CharField(max_length=16, blank=True, db_default="")
    met = ArrayField(
        models.CharField(max_length=64),
        default=list,
        db_default=[],
        help_text="“placement/strategy”, with a “!” if clicked.",
    )

    class Meta:
        db_table = "visits"

    def __str__(self) -> str:
        return f"Visit on {self.day}"


class TouchedMail(models.Model):
    """A note that a mail which was planned within these five minutes has changed, or that something was told of it."""

    starts_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "touched_mails"

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class MailRollup(models.Model):
    """What became of the mails that were planned on one day of the shop; a message counts once in each column."""

    pk = models.CompositePrimaryKey("day", "kind", "run", "arm")
    day = models.DateField()
    kind = models.CharField(max_length=24, help_text="The campaign.")
    run = models.CharField(max_length=100, help_text="The occasion: a week, a product that is back; of carts, the day.")
    arm = models.CharField(max_length=1)
    planned = models.BigIntegerField()
    skipped = models.BigIntegerField()
    sent = models.BigIntegerField()
    unknown = models.BigIntegerField()
    other = models.BigIntegerField(help_text="Failed, too late, or called off.")
    would_send = models.BigIntegerField()
    delivered = models.BigIntegerField()
    bounced = models.BigIntegerField()
    complained = models.BigIntegerField()
    unsubscribed = models.BigIntegerField()
    clicked = models.BigIntegerField(help_text="Mails that a person clicked in.")
    clicks = models.BigIntegerField(help_text="All clicks, of people and machines.")
    machine_clicks = models.BigIntegerField(help_text="Of those, by machines: scanners and previews.")

    def __str__(self) -> str:
        return f"{self.kind} of {self.day}"


class MailEarningsRollup(models.Model):
    """What mails that were planned on one day of the shop have earned since, whenever it was bought."""

    pk = models.CompositePrimaryKey("day", "kind", "run", "arm", "currency")
    day = models.DateField()
    kind = models.CharField(max_length=24)
    run = models.CharField(max_length=100)
    arm = models.CharField(max_length=1)
    currency = models.CharField(max_length=3)
    orders = models.BigIntegerField(help_text="Orders with a product that was clicked in one of these mails.")
    direct_revenue = models.DecimalField(max_digits=24, decimal_places=2)
    assisted_revenue = models.DecimalField(max_digits=24, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.kind} of {self.day} in {self.currency}"


class MailReasonRollup(models.Model):
    """Why mails that were planned on one day of the shop were not sent."""

    pk = models.CompositePrimaryKey("day", "kind", "reason")
    day = models.DateField()
    kind = models.CharField(max_length=24)
    reason = models.CharField(max_length=32)
    messages = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} of {self.day}: {self.reason}"


class RollupState(models.Model):
    """How far the roll-ups are: one row."""

    id = models.SmallIntegerField(primary_key=True, db_default=1)
    time_zone = models.CharField(max_length=64, help_text="In which hours and days are cut.")
    as_of = models.DateTimeField(null=True, help_text="All that was stored up to this moment is counted.")
    seconds = models.FloatField(db_default=0.0, help_text="How long the last run took.")
    hours = models.IntegerField(db_default=0, help_text="In how many hours something was recounted.")
    attributed = models.IntegerField(db_default=0, help_text="How many purchases and clicks it attributed.")
    recounted_at = models.DateTimeField(null=True, help_text="When the last seven days were last recounted.")
    closed_before = models.DateTimeField(
        null=True, help_text="Days before are not counted any more: their raw rows are cleared away."
    )
    searches_closed_before = models.DateTimeField(null=True, help_text="The same, of the texts that were searched for.")

    class Meta:
        db_table = "rollup_state"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="rollup_state_is_one_row")]

    def __str__(self) -> str:
        return f"Data as of {self.as_of}"


class ExperimentResult(models.Model):
    """What one variant of an experiment has done so far, counted whole at `as_of`. Shoppers are the unit."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="results")
    variant = models.CharField(max_length=20)
    as_of = models.DateTimeField(db_default=Now())
    shoppers = models.BigIntegerField(help_text="People who were served a list of this variant.")
    clickers = models.BigIntegerField(help_text="Of those, who clicked one of its recommendations.")
    buyers = models.BigIntegerField(help_text="Of those, who bought anything after their first list.")
    lists = models.BigIntegerField()
    impressions = models.BigIntegerField()
    clicks = models.BigIntegerField()
    conversions = models.BigIntegerField(help_text="Order lines credited to its lists.")
    attributed_revenue = models.DecimalField(max_digits=24, decimal_places=2)
    revenue = models.DecimalField(max_digits=24, decimal_places=2, help_text="All they spent after their first list.")
    revenue_squares = models.DecimalField(max_digits=40, decimal_places=4, help_text="Σ (revenue of a shopper)².")
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "experiment_results"
        constraints = [models.UniqueConstraint(fields=["experiment", "variant"], name="experiment_result_once")]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.variant}"
