"""The pictures: small, safe, well-formed, always the same, and fitting what they show."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from reemio.demo.catalogue import load_products
from reemio.demo.pictograms import PICTOGRAMS, SHELVES, drawing_for
from reemio.demo.pictures import picture

PRODUCTS = load_products()
SVG = "{http://www.w3.org/2000/svg}"


def test_every_product_has_a_well_formed_picture_below_four_kilobytes() -> None:
    for product in PRODUCTS:
        drawn = picture(product.product_id, product.title, product.category)
        root = ElementTree.fromstring(drawn)  # noqa: S314 - we wrote it
        assert (root.tag, root.get("viewBox")) == (f"{SVG}svg", "0 0 480 480")
        assert root.findtext(f"{SVG}title") == product.title
        assert len(drawn.encode()) < 4096, product.product_id


def test_a_picture_is_the_same_each_time() -> None:
    assert len({picture("sports-trail-runner-2", "Trail Runner 2", "Sports > Running > Shoes") for _ in range(3)}) == 1


def test_nearly_all_products_look_different() -> None:
    drawn = {
        ElementTree.canonicalize(picture(one.product_id, "", one.category)) + drawing_for(one.title, one.category)
        for one in PRODUCTS
    }
    assert len(drawn) > 0.98 * len(PRODUCTS)


def test_a_hostile_title_stays_text() -> None:
    title = '</title><script>alert("1")</script>&amp;\x00\ud800'
    root = ElementTree.fromstring(picture('"><x', title, "<b>"))  # noqa: S314 - we wrote it
    assert root.findtext(f"{SVG}title") == '</title><script>alert("1")</script>&amp;'
    assert not [one for one in root.iter() if one.tag in (f"{SVG}script", "script")]


@given(st.text(), st.text(), st.text())
def test_any_three_texts_make_a_well_formed_picture(product_id: str, title: str, category: str) -> None:
    drawn = picture(product_id, title, category)
    ElementTree.fromstring(drawn)  # noqa: S314 - we wrote it
    assert len(drawn.encode()) < 4096


def test_the_catalogue_shows_more_than_forty_different_drawings() -> None:
    shown = {drawing_for(product.title, product.category) for product in PRODUCTS}
    assert len(shown) == 416
    assert shown <= set(PICTOGRAMS)


def test_every_shelf_of_the_catalogue_and_every_rule_names_a_drawing() -> None:
    assert {product.category for product in PRODUCTS} <= set(SHELVES)
    for shelf in SHELVES.values():
        assert {shelf.drawing, *(name for _, name in shelf.by_word)} <= set(PICTOGRAMS)


def test_the_title_decides_what_is_drawn_and_strangers_get_a_parcel() -> None:
    assert drawing_for("Run Socks Ankle, 3-Pack", "Sports > Running > Apparel") == "sock"
    assert drawing_for("Something new", "Sports > Running > Apparel") == "jacket"
    assert drawing_for("Something new", "Sports > Curling") == "football"
    assert drawing_for("Something new", "Antiques") == "parcel"
    assert drawing_for("", "") == "parcel"
