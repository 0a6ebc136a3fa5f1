"""The forms of merchandising rules: what a merchant fills in, checked so that it says what is wrong."""

import difflib
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from catalog.models import CATEGORY_SEPARATOR, Product
from recommendations.contracts import Placement, Query, Rule, RuleAction, Target
from recommendations.models import MerchandisingRule
from recommendations.previews import concerned
from recommendations.shelf import shelf

MOST_PRODUCTS = 500
MOST_SUGGESTED = 1000
LIMITS = {Placement.HOMEPAGE: 12, Placement.PRODUCT: 8, Placement.CART: 8, Placement.BOUGHT_TOGETHER: 4}
Action = MerchandisingRule.Action


class RuleForm(forms.ModelForm[MerchandisingRule]):
    """A merchandising rule."""

    placements = forms.MultipleChoiceField(
        choices=MerchandisingRule.Place, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: everywhere. E-mails use the lists of the homepage, the product page and the cart.",
    )  # fmt: skip

    class Meta:
        model = MerchandisingRule
        fields = [
            "name", "enabled", "action", "position", "factor", "products", "category", "brand", "min_price",
            "max_price", "min_stock", "max_stock", "placements", "starts_at", "ends_at", "priority",
        ]  # fmt: skip
        widgets = {
            "category": forms.TextInput(attrs={"list": "rule-categories", "class": "vTextField"}),
            "brand": forms.TextInput(attrs={"list": "rule-brands", "class": "vTextField"}),
        }

    def clean_category(self) -> str:
        """Refuse a category that no product is in or below."""
        category: str = self.cleaned_data["category"]
        if category and not Product.objects.in_category(category).exists():
            raise forms.ValidationError(_unknown("category", category, categories()))
        return category

    def clean_brand(self) -> str:
        """Refuse a brand that no product has."""
        brand: str = self.cleaned_data["brand"]
        if brand and not Product.objects.filter(brand=brand).exists():
            raise forms.ValidationError(_unknown("brand", brand, brands()))
        return brand

    def clean_products(self) -> QuerySet[Product]:
        """Bound how many a rule names one by one."""
        products: QuerySet[Product] = self.cleaned_data["products"]
        if len(products) > MOST_PRODUCTS:
            raise forms.ValidationError(f"A rule names at most {MOST_PRODUCTS} products: use a category or a brand.")
        return products

    def clean(self) -> dict[str, Any]:
        """Check what only several fields together can tell."""
        data = super().clean() or self.cleaned_data
        self._check_action(data)
        self._check_bands(data)
        self._check_dates(data)
        if not self.errors and (rule := self.rule()).target == Target():
            self.add_error(
                None, "Say which products: choose some, or give a category, a brand, a price or a stock level."
            )
        elif not self.errors and rule.action is RuleAction.HIDE and not rule.placements:
            self._check_that_something_is_left(rule)
        return data

    def rule(self) -> Rule:
        """Return what the form says as the engine knows it. Only of a form without errors."""
        data = self.cleaned_data
        return Rule(
            id=self.instance.pk or 0,
            action=RuleAction(data["action"]),
            target=Target(
                frozenset(product.pk for product in data["products"]), data["category"], data["brand"],
                data["min_price"], data["max_price"], data["min_stock"], data["max_stock"],
            ),
            priority=data["priority"],
            placements=frozenset(data["placements"]),
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            position=data["position"] or 1,
            factor=data["factor"] or 1.0,
        )  # fmt: skip

    def _check_action(self, data: dict[str, Any]) -> None:
        """Ask for what the action needs, and forget what belongs to another one."""
        action = data.get("action")
        if action == Action.PIN:
            if data.get("position") is None and "position" not in self.errors:
                self.add_error("position", "Say to which place: 1 is the first of the list.")
            if "products" in data and not data["products"]:
                self.add_error("products", "Choose the products to pin: a category or a brand alone cannot be pinned.")
            if data.get("placements") == [MerchandisingRule.Place.SEARCH]:
                self.add_error("placements", "Search results have no pins: choose a list, or boost the products.")
        else:
            data["position"] = None
        if action == Action.BOOST:
            if data.get("factor") is None and "factor" not in self.errors:
                self.add_error("factor", "Say how strongly: 1.5 makes a score half as large again.")
        else:
            data["factor"] = None

    def _check_bands(self, data: dict[str, Any]) -> None:
        for lowest, highest, name in (("min_price", "max_price", "price"), ("min_stock", "max_stock", "stock")):
            low, high = data.get(lowest), data.get(highest)
            if low is not None and high is not None and low > high:
                self.add_error(highest, f"The {name} band is empty: it ends at {high}, below {low} where it starts.")

    def _check_dates(self, data: dict[str, Any]) -> None:
        starts, ends = data.get("starts_at"), data.get("ends_at")
        if ends is None:
            return
        if starts is not None and ends <= starts:
            self.add_error("ends_at", "The rule would end before it starts.")
        elif ends <= timezone.now() and "ends_at" in self.changed_data:
            self.add_error("ends_at", "This moment has passed: the rule would never have a say.")

    def _check_that_something_is_left(self, rule: Rule) -> None:
        shelf.refresh()
        if concerned(rule) == Product.objects.available().count() > 0:
            self.add_error(None, "This would hide every product of the shop: narrow it down.")


class PreviewForm(forms.Form):
    """Which list to look at, before and after."""

    preview_placement = forms.ChoiceField(
        label="List",
        choices=[choice for choice in MerchandisingRule.Place.choices if choice[0] != MerchandisingRule.Place.SEARCH],
    )
    preview_user = forms.CharField(label="Shopper", required=False, max_length=128, help_text="A user id, or nobody.")
    preview_products = forms.CharField(
        label="Product or cart", required=False, max_length=2000, help_text="The shop's ids, separated by commas."
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the product that a list is about."""
        data = super().clean() or self.cleaned_data
        shelf.refresh()
        names = tuple(part.strip() for part in data.get("preview_products", "").split(",") if part.strip())
        unknown = [name for name in names if shelf.id_of(name) is None]
        placement = data.get("preview_placement")
        if placement == Placement.HOMEPAGE:
            names = ()
        elif unknown:
            self.add_error("preview_products", f"There is no product with the id {unknown[0]}.")
        elif placement and not names:
            self.add_error("preview_products", "Name the product that the list is about.")
        elif len(names) > 1 and placement != Placement.CART:
            self.add_error("preview_products", "This list is about one product.")
        data["names"] = names
        return data

    def query(self) -> Query:
        """Return the question to the engine. Only of a form without errors."""
        placement = Placement(self.cleaned_data["preview_placement"])
        return Query(
            placement=placement,
            limit=LIMITS[placement],
            user_id=self.cleaned_data["preview_user"],
            anchors=self.cleaned_data["names"],
        )


def categories() -> list[str]:
    """Return the category paths of the catalogue and all that lie above them, in order."""
    paths = Product.objects.exclude(category="").values_list("category", flat=True).distinct()
    above = set()
    for path in paths:
        steps = path.split(CATEGORY_SEPARATOR)
        above |= {CATEGORY_SEPARATOR.join(steps[:depth]) for depth in range(1, len(steps) + 1)}
    return sorted(above)[:MOST_SUGGESTED]


def brands() -> list[str]:
    """Return the brands of the catalogue, in order."""
    found = Product.objects.exclude(brand="").values_list("brand", flat=True).distinct().order_by("brand")
    return list(found[:MOST_SUGGESTED])


def _unknown(what: str, given: str, known: list[str]) -> str:
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given.casefold(), folded, n=1, cutoff=0.5)
    hint = f" Did you mean “{folded[near[0]]}”?" if near else ""
    return f"No product has the {what} “{given}”.{hint}"
