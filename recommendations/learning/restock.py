"""Which products are bought again and again, and after how many days. No Django here."""

import numpy as np
import numpy.typing as npt

from recommendations.learning.own import OwnRepeats
from recommendations.learning.sparse import Floats

# A product is restocked where this share of its buyers bought it again, counted with its category's.
LEAST_SHARE = 0.2
# Fewer buyers who came back, in a whole category, prove nothing.
FEWEST_REPEATS = 3
# As many buyers as these speak for the category when a product is judged; and for the shop, when a category is.
PRIOR = 5.0


def restock_days(own: OwnRepeats, categories: npt.NDArray[np.integer]) -> Floats:
    """Return the usual days between two purchases of each product that is restocked, 0 for the others.

    The share of buyers who bought a product again is shrunk towards that of its category, and the category's towards
    the shop's; `categories` numbers each product's category. Buying twice on one day is one purchase.
    """
    products = own.shape[1]
    buyers = np.bincount(own.product, minlength=products).astype(np.float64)
    back = np.bincount(own.product, own.history.first_age - own.history.last_age >= 1.0, products)
    size = int(categories.max(initial=-1)) + 1
    of_category, back_of_category = np.bincount(categories, buyers, size), np.bincount(categories, back, size)
    shop = back.sum() / max(buyers.sum(), 1.0)
    category_share = (back_of_category + PRIOR * shop) / (of_category + PRIOR)
    share = (back + PRIOR * category_share[categories]) / (buyers + PRIOR)
    proven = (back_of_category[categories] >= FEWEST_REPEATS) & (share >= LEAST_SHARE)
    return np.where(proven & (buyers > 0), np.maximum(own.usual, 1.0), 0.0)
