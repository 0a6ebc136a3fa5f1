"""The demo shop's catalogue: `catalogue.csv` beside this file, and its rows as plain values."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """One row of the catalogue; `stock` is None where stock is not tracked."""

    product_id: str
    title: str
    description: str
    category: str
    brand: str
    price: Decimal
    currency: str
    stock: int | None
    image_url: str
    url: str
    is_active: bool

    @property
    def department(self) -> str:
        return self.category.split(" > ", 1)[0]

    @property
    def is_sellable(self) -> bool:
        return self.is_active and self.stock != 0


def load_products() -> tuple[DemoProduct, ...]:
    """The bundled products, in the order of the file."""
    text = files("reemio.demo").joinpath("catalogue.csv").read_text(encoding="utf-8")
    return tuple(_product(row) for row in csv.DictReader(text.splitlines()))


def _product(row: dict[str, str]) -> DemoProduct:
    return DemoProduct(
        product_id=row["product_id"],
        title=row["title"],
        description=row["description"],
        category=row["category"],
        brand=row["brand"],
        price=Decimal(row["price"]),
        currency=row["currency"],
        stock=int(row["stock_quantity"]) if row["stock_quantity"] else None,
        image_url=row["image_url"],
        url=row["url"],
        is_active=row["is_active"] == "true",
    )
