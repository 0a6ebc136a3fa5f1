"""The ten named shoppers of the demo shop, as the product brief introduces them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Persona = Literal["Power Shopper", "Browser", "Cart Abandoner", "Search Heavy", "Reco Responder", "Light User"]


@dataclass(frozen=True, slots=True)
class DemoShopper:
    """A shopper and what their history must show: top categories in this order, and these prices exactly."""

    name: str
    persona: Persona
    top_categories: tuple[str, str, str]
    price_min: Decimal
    price_max: Decimal
    interactions: int
    marketing_consent: bool = True
    timezone: str = "Africa/Nairobi"

    @property
    def user_id(self) -> str:
        return self.name.lower().replace(" ", "-")

    @property
    def email(self) -> str:
        return self.name.lower().replace(" ", ".") + "@example.com"


SHOPPERS: tuple[DemoShopper, ...] = (
    DemoShopper(
        "Wanjiku Muthoni",
        "Power Shopper",
        ("Sports", "Garden", "Electronics"),
        Decimal("1.50"),
        Decimal("591.00"),
        101,
    ),
    DemoShopper(
        "Otieno Ochieng",
        "Browser",
        ("Electronics", "Office", "Garden"),
        Decimal("1.40"),
        Decimal("1186.00"),
        101,
        marketing_consent=False,
    ),
    DemoShopper(
        "Kipchoge Korir",
        "Search Heavy",
        ("Home & Kitchen", "Garden", "Toys"),
        Decimal("1.90"),
        Decimal("1017.00"),
        73,
    ),
    DemoShopper(
        "Chebet Jepkosgei",
        "Reco Responder",
        ("Sports", "Garden", "Fashion"),
        Decimal("3.60"),
        Decimal("512.00"),
        68,
    ),
    DemoShopper(
        "Nyambura Wangari",
        "Search Heavy",
        ("Fashion", "Office", "Electronics"),
        Decimal("1.80"),
        Decimal("1017.00"),
        67,
    ),
    DemoShopper(
        "Mutua Kioko",
        "Light User",
        ("Sports", "Home & Kitchen", "Electronics"),
        Decimal("1.90"),
        Decimal("1017.00"),
        66,
    ),
    DemoShopper(
        "Kimani Njoroge",
        "Light User",
        ("Office", "Sports", "Electronics"),
        Decimal("1.90"),
        Decimal("708.00"),
        54,
    ),
    DemoShopper(
        "Omondi Onyango",
        "Reco Responder",
        ("Grocery", "Fashion", "Home & Kitchen"),
        Decimal("1.40"),
        Decimal("571.00"),
        54,
    ),
    DemoShopper(
        "Nafula Wekesa",
        "Light User",
        ("Sports", "Home & Kitchen", "Beauty"),
        Decimal("4.10"),
        Decimal("1017.00"),
        40,
        marketing_consent=False,
    ),
    DemoShopper(
        "Akinyi Adhiambo",
        "Cart Abandoner",
        ("Electronics", "Home & Kitchen", "Office"),
        Decimal("3.60"),
        Decimal("756.00"),
        36,
    ),
)
