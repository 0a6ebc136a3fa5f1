"""Catalogues in files: CSV, JSON lines, gzip; a bad row is refused, the others are read."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from catalog.sources import SourceError
from catalog.sources.file import LONGEST_LINE, FileSource

HEADER = "product_id,title,description,category,brand,price,currency,stock_quantity,image_url,url,is_active\n"


def read(path: Path) -> list[tuple[str, Any]]:
    """The rows of the file: place, and fields or problem."""
    pages = FileSource(path).pages(updated_since=None, resume_at="")
    return [(row.place, row.problem if row.fields is None else dict(row.fields)) for page in pages for row in page.rows]


@pytest.mark.parametrize("packed", [False, True])
def test_a_csv_file_is_read_by_its_header(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "products"
    data = '\ufefftitle,product_id,extra\r\n"Lamp, ""big""",a,x\r\n\r\n"Two\nlines",b,\r\n'.encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    assert read(path) == [
        ("line 2", {"title": 'Lamp, "big"', "product_id": "a", "extra": "x"}),
        ("line 4", {"title": "Two\nlines", "product_id": "b", "extra": ""}),
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_are_read(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "products"
    lines = ['{"product_id": "a", "title": "Lamp", "price": 19.90}', "", "[1]", "{", '{"product_id": "b"}']
    data = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    rows = read(path)
    assert rows[0] == ("line 1", {"product_id": "a", "title": "Lamp", "price": 19.9})
    assert rows[1] == ("line 3", "not a JSON object")
    assert rows[2][0] == "line 4"
    assert rows[2][1].startswith("not valid JSON: ")
    assert rows[3] == ("line 5", {"product_id": "b"})


def test_a_line_with_too_many_cells_is_refused_alone(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("product_id,title\na,Lamp\nb,Desk,oops\nc\nd,Chair\n")
    assert [row[1] for row in read(path)] == [
        {"product_id": "a", "title": "Lamp"},
        "3 cells, but the header has 2",
        "1 cells, but the header has 2",
        {"product_id": "d", "title": "Chair"},
    ]


def test_bytes_that_are_not_utf8_reach_the_row_check(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_bytes(b"product_id,title\na,caf\xe9\nb,Desk\n")
    assert [row[1] for row in read(path)] == [
        {"product_id": "a", "title": "caf\udce9"},
        {"product_id": "b", "title": "Desk"},
    ]


def test_an_endless_line_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    long = json.dumps({"product_id": "a", "title": "x" * (2 * LONGEST_LINE)})
    path.write_text(long + '\n{"product_id": "b", "title": "Desk"}\n')
    rows = read(path)
    assert rows[0][1].startswith("not valid JSON: ")
    assert rows[1] == ("line 2", {"product_id": "b", "title": "Desk"})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"sku,title\na,Lamp\n", "The header has no column product_id."),
        (b"", "The header has no column product_id and no column title."),
        (b"\x1f\x8bnot gzip", "Unknown compression method"),
    ],
)
def test_a_file_of_another_kind_is_refused_whole(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "products"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=sentence):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        read(tmp_path / "missing.csv")


def test_a_cut_off_gzip_is_refused_after_its_whole_pages(tmp_path: Path) -> None:
    path = tmp_path / "products.csv.gz"
    rows = "".join(f"p{number},Title {number * 7919}\n" for number in range(5000))
    path.write_bytes(gzip.compress(f"product_id,title\n{rows}".encode())[:-2000])
    with pytest.raises(SourceError, match="end-of-stream"):
        read(path)
