"""All events up to a moment, as arrays. No Django here."""

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Events:
    """n events as parallel arrays. `person` and `product` index `persons` and `products`; `moment` is in seconds.

    `order` is a hash of the order's id, or 0; `visit` one of the order, else the session, else the person's day;
    `known` tells a user's events from a session's; `persons` holds hashes of “u:” + user id or “s:” +
    session id, ascending; `products` our ids, ascending.
    """

    person: npt.NDArray[np.int32]
    product: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    moment: npt.NDArray[np.float64]
    order: npt.NDArray[np.int64]
    bought: npt.NDArray[np.bool_]
    visit: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    persons: npt.NDArray[np.int64]
    products: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)


COMPACT = np.dtype(
    [
        ("person", "i8"),
        ("product", "i8"),
        ("weight", "f4"),
        ("moment", "f8"),
        ("order", "i8"),
        ("bought", "?"),
        ("visit", "i8"),
        ("known", "?"),
    ]
)


def indexed(rows: npt.NDArray[np.void], products: npt.NDArray[np.int64] | None = None) -> Events:
    """Return rows with the fields of `COMPACT` as events, persons and products numbered in ascending order.

    Where the rows are only some of all, `products` are those of all.
    """
    persons, person = np.unique(rows["person"], return_inverse=True)
    if products is None:
        products, product = np.unique(rows["product"], return_inverse=True)
    else:
        product = np.searchsorted(products, rows["product"])
    return Events(
        person=person.astype(np.int32),
        product=product.astype(np.int32),
        weight=rows["weight"].copy(),
        moment=rows["moment"].copy(),
        order=rows["order"].copy(),
        bought=rows["bought"].copy(),
        visit=rows["visit"].copy(),
        known=rows["known"].copy(),
        persons=persons,
        products=products,
    )


def between(events: Events, start: float, end: float) -> Events:
    """Return the events of a span of time; persons and products keep their numbers."""
    return chosen(events, (events.moment >= start) & (events.moment < end))


def chosen(events: Events, which: npt.NDArray[np.bool_]) -> Events:
    """Return some of the events; persons and products keep their numbers."""
    columns = {
        one.name: getattr(events, one.name)[which] for one in fields(Events) if one.name not in ("persons", "products")
    }
    return replace(events, **columns)
