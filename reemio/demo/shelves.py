"""What the shop's pages ask of the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Count, QuerySet

from catalog.models import CATEGORY_SEPARATOR, Product
from reemio.demo.visitors import Cart

CATEGORIES_KEY = "shop:categories"
CATEGORIES_SECONDS = 60
SORTS = {
    "featured": ("id",),
    "price": ("price", "id"),
    "-price": ("-price", "id"),
    "title": ("title", "id"),
}


@dataclass(frozen=True, slots=True)
class Category:
    """A category path, with the number of products in it and below it."""

    path: str
    products: int

    @property
    def name(self) -> str:
        """Return the narrowest part of the path."""
        return self.path.rpartition(CATEGORY_SEPARATOR)[2]

    @property
    def depth(self) -> int:
        """Return 0 for a department, 1 for what lies in it, and so on."""
        return self.path.count(CATEGORY_SEPARATOR)


@dataclass(frozen=True, slots=True)
class CartLine:
    """A product in the cart. `buyable` is false where it is not sold any more, or out of stock."""

    product: Product
    quantity: int
    buyable: bool

    @property
    def total(self) -> Decimal:
        """Return price × quantity; 0 where no price is known."""
        return (self.product.price or Decimal(0)) * self.quantity


def all_categories() -> list[Category]:
    """Return every category and department with its number of active products, by name. At most a minute old."""
    counts = cache.get_or_set(CATEGORIES_KEY, _count_categories, CATEGORIES_SECONDS) or {}
    return [Category(path, products) for path, products in sorted(counts.items())]


def departments(categories: Iterable[Category]) -> list[Category]:
    """Keep the top of each path."""
    return [category for category in categories if category.depth == 0]


def below(categories: Iterable[Category], path: str) -> list[Category]:
    """Keep what lies directly below `path`."""
    start, depth = path + CATEGORY_SEPARATOR, path.count(CATEGORY_SEPARATOR) + 1
    return [category for category in categories if category.path.startswith(start) and category.depth == depth]


def trail(path: str) -> list[Category]:
    """Return the steps of a path, the department first."""
    steps = [step for step in path.split(CATEGORY_SEPARATOR) if step]
    return [Category(CATEGORY_SEPARATOR.join(steps[: end + 1]), 0) for end in range(len(steps))]


def products_in(path: str, *, sort: str) -> QuerySet[Product]:
    """Return the active products of a category; what is out of stock stays on its shelf, and says so."""
    active = Product.objects.filter(is_active=True).in_category(path)
    return active.defer("search", "description").order_by(*SORTS[sort])


def cart_lines(cart: Cart) -> list[CartLine]:
    """Return the cart's products with their facts; ids that the catalogue does not know are left out."""
    ids = [product_id for product_id, _ in cart.lines]
    found = {product.product_id: product for product in Product.objects.filter(product_id__in=ids).defer("search")}
    return [
        CartLine(product, quantity, is_buyable(product))
        for product_id, quantity in cart.lines
        if (product := found.get(product_id)) is not None
    ]


def is_buyable(product: Product) -> bool:
    """Tell whether the product may be put in a cart: the same notion as `Product.objects.available()`."""
    return product.is_active and product.stock_quantity != 0


def totals(lines: Sequence[CartLine]) -> list[tuple[Decimal, str]]:
    """Sum the lines that can be bought, for each currency."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line.buyable:
            currency = line.product.currency
            sums[currency] = sums.get(currency, Decimal(0)) + line.total
    return [(amount, currency) for currency, amount in sums.items()]


def _count_categories() -> dict[str, int]:
    counts: dict[str, int] = {}
    rows = (
        Product.objects.filter(is_active=True)
        .exclude(category="")
        .values_list("category")
        .annotate(Count("id"))
        .order_by()
    )
    for path, products in rows:
        for step in trail(path):
            counts[step.path] = counts.get(step.path, 0) + products
    return counts
