"""How often search finds the product that was meant: with and without typos, against full text alone and meaning alone.

    python -m benchmarks.search_quality [--products FILE] [--queries 300] [--seed 7]

Takes the demo's catalogue, or a CSV with the same columns. A query is made of a product's own title: the whole of it,
or two or three of its words, with no, one or two typing mistakes (a letter left out, added, changed or swapped with the
next, in a word of four letters or more). Found is any product with that title. Makes a database of its own, and
removes it.
"""

import argparse
import io
import random
import statistics
import string
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.scratch import scratch

DEMO = ROOT / "reemio" / "demo" / "catalogue.csv"
TOP = 10
LONG_ENOUGH = 4
Search = Callable[[str], Sequence[str]]
WORDS = """
    SELECT title FROM catalog_product p WHERE p.search @@ websearch_to_tsquery('english', %s)
    ORDER BY ts_rank(p.search, websearch_to_tsquery('english', %s), 32) DESC, p.id LIMIT 10
"""
MEANING = """
    SELECT title FROM catalog_productembedding e JOIN catalog_product p ON p.id = e.product_id
    ORDER BY e.vector <=> %s::vector LIMIT 10
"""


def main() -> None:
    """Make the shop, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=Path, default=DEMO)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with scratch("search_quality"):
        titles = _fill(options.products)
        rng = random.Random(options.seed)
        long_enough = [title for title in titles if len(title.split()) >= 2]
        asked = rng.sample(long_enough, min(options.queries, len(long_enough)))
        print(f"{options.products.name}: {len(titles)} products, {len(asked)} queries of a kind")
        print(f"{'query':28}{'search':14}{'top-1':>8}{'top-10':>8}{'MRR@10':>8}{'ms':>8}")
        for kind, make in _kinds(rng).items():
            queries = [(title, make(title)) for title in asked]
            for name, search in _searches().items():
                _show(kind, name, queries, search)


def _kinds(rng: random.Random) -> dict[str, Callable[[str], str]]:
    def some(title: str) -> str:
        words = title.split()
        kept = sorted(rng.sample(range(len(words)), min(len(words), rng.choice((2, 3)))))
        return " ".join(words[place] for place in kept)

    return {
        "whole title": str.lower,
        "whole title, 1 typo": lambda title: mistyped(title.lower(), rng, 1),
        "2 or 3 words": lambda title: some(title.lower()),
        "2 or 3 words, 1 typo": lambda title: mistyped(some(title.lower()), rng, 1),
        "2 or 3 words, 2 typos": lambda title: mistyped(some(title.lower()), rng, 2),
    }


def mistyped(text: str, rng: random.Random, mistakes: int) -> str:
    """Return the text with that many mistakes, each in a word of its own as long as there are enough."""
    words = text.split()
    places = [place for place, word in enumerate(words) if len(word) >= LONG_ENOUGH and word.isalpha()]
    for place in rng.sample(places, min(mistakes, len(places))):
        words[place] = _mistake(words[place], rng)
    return " ".join(words)


def _mistake(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word))
    letter = rng.choice(string.ascii_lowercase)
    match rng.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + letter + word[at:]
        case 2:
            return word[:at] + letter + word[at + 1 :]
        case _:
            at = min(at, len(word) - 2)
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _searches() -> dict[str, Search]:
    from django.db import connection

    from catalog import embedding
    from recommendations import search
    from recommendations.contracts import Placement, Query
    from recommendations.taste import format_vector

    def rows(statement: str, parameters: list[str]) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return [row[0] for row in cursor.fetchall()]

    return {
        "Reemio": lambda text: [
            item.facts.title for item in search.find(text, Query(Placement.HOMEPAGE, limit=TOP)).items
        ],
        "words only": lambda text: rows(WORDS, [text, text]),
        "meaning only": lambda text: rows(MEANING, [format_vector(embedding.encode([text])[0])]),
    }


def _show(kind: str, name: str, queries: Sequence[tuple[str, str]], search: Search) -> None:
    places, times = [], []
    for title, text in queries:
        began = time.perf_counter()
        found = search(text)
        times.append((time.perf_counter() - began) * 1000)
        places.append(found.index(title) + 1 if title in found else 0)
    first = statistics.fmean(place == 1 for place in places)
    some = statistics.fmean(place > 0 for place in places)
    mrr = statistics.fmean(1 / place if place else 0.0 for place in places)
    print(f"{kind:28}{name:14}{first:8.3f}{some:8.3f}{mrr:8.3f}{statistics.median(times):8.1f}", flush=True)


def _fill(path: Path) -> list[str]:
    from django.core.management import call_command

    from catalog.models import Product

    call_command("sync_products", source="file", path=path, verbosity=0, stdout=io.StringIO())
    return list(Product.objects.available().order_by("pk").values_list("title", flat=True))


if __name__ == "__main__":
    main()
