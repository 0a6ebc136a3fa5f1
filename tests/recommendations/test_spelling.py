"""The catalogue's words follow the shelf, and a mistyped word finds the one that was meant."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from recommendations.contracts import ProductFacts
from recommendations.spelling import Vocabulary, Word, words_of

LETTERS = "abcdefgh"


def facts(number: int, title: str, *, available: bool = True) -> ProductFacts:
    return ProductFacts(number, f"p{number}", title, "Cat > Sub-Cat", "Brand", None, "", "", "", available)


def vocabulary(*titles: str) -> Vocabulary:
    made = Vocabulary()
    made.follow([facts(number, title) for number, title in enumerate(titles)], 1)
    return made


def meant(made: Vocabulary, word: str) -> tuple[str, ...]:
    [found] = made.understand([word], known=())
    return found.meant


def test_words_are_compared_without_case_width_and_outer_punctuation() -> None:
    assert words_of("  “Ｆｕｌｌ” T-Shirt, 3.5m — £9 (Straße) ") == ["full", "t-shirt", "3.5m", "9", "strasse"]
    assert words_of("🍕 --- ''") == []


def test_a_known_word_is_never_touched() -> None:
    made = vocabulary("Cap Cup Mug")
    assert made.understand(["cap", "sub", "brand", "other"], known={"other"}) == tuple(
        map(Word, ["cap", "sub", "brand", "other"])
    )


def test_of_the_nearest_the_one_with_the_same_first_letter_and_the_most_products_comes_first() -> None:
    made = vocabulary("Lamp", "Lamb Stew", "Lamp Shade", "Damp")
    assert meant(made, "lamx") == ("lamp", "lamb")
    assert meant(made, "xamp") == ("lamp", "damp")
    assert meant(made, "lapm") == ("lamp",)


def test_short_words_and_numbers_are_left_alone_and_long_ones_may_have_two_mistakes() -> None:
    made = vocabulary("Mug Inflatable 3000mm Up")
    assert meant(made, "ub") == ()
    assert meant(made, "mgu") == ("mug",)
    assert meant(made, "mgx") == ()
    assert meant(made, "3001mm") == ()
    assert meant(made, "inflatbel") == ("inflatable",)
    assert meant(made, "nflatbel") == ()
    assert meant(made, "x" * 500) == ()


def test_two_words_in_one_and_a_words_beginning_are_understood() -> None:
    made = vocabulary("Camping Mug", "Inflatable Globe", "Inflation Book", "Inflatable Boat")
    assert meant(made, "campingmug") == ("camping mug",)
    assert meant(made, "infla") == ("inflatable", "inflation")


def test_what_cannot_be_shown_lends_no_words() -> None:
    made = vocabulary("Globe")
    made.follow([facts(0, "Globe", available=False), facts(1, "Lamp")], 2)
    assert "globe" not in made
    assert "lamp" in made
    assert meant(made, "glube") == ()


titles = st.text(LETTERS + " ", max_size=12)
states = st.lists(st.tuples(titles, st.booleans()), max_size=6)


@given(st.lists(states, min_size=1, max_size=5))
def test_following_change_by_change_equals_beginning_anew(history: list[list[tuple[str, bool]]]) -> None:
    followed = Vocabulary()
    kept: list[ProductFacts] = []
    for generation, state in enumerate(history):
        # The shelf only grows, and exchanges the facts of what has changed.
        fresh = [facts(number, title, available=shown) for number, (title, shown) in enumerate(state)]
        kept = [*fresh, *(replace(one) for one in kept[len(fresh) :])]
        followed.follow(kept, generation)
    anew = Vocabulary()
    anew.follow(kept, 0)
    assert followed._counts == anew._counts
    assert followed._words() == anew._words()


@given(st.text(LETTERS, min_size=5, max_size=10), st.data())
def test_one_mistake_in_the_only_near_word_is_found(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    typed = word[:at] + data.draw(st.sampled_from("xyz")) + word[at + 1 :]
    assert meant(vocabulary(word.title()), typed) == (word,)
