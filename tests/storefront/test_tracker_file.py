"""The file that a shop includes: small, made of its sources, named after its version, and typed."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

import pytest
import rjsmin
from django.conf import settings
from django.test import Client

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / "static" / "reemio"
SOURCES = sorted((HOME / "source").glob("*.js"))
VERSION = re.findall(r'^const VERSION = "(.+)";', SOURCES[0].read_text(), re.MULTILINE)[0]
TRACKER = HOME / f"reemio-{VERSION}.js"
DIGEST = base64.b64encode(hashlib.sha384(TRACKER.read_bytes()).digest()).decode()


def test_it_is_made_of_its_sources() -> None:
    source = '(()=>{"use strict";\n' + "".join(path.read_text() for path in SOURCES) + "})();\n"
    banner, _, code = TRACKER.read_text().partition("*/")
    assert code.strip() == rjsmin.jsmin(source).strip(), "Run `make tracker`, and commit what it writes."
    assert VERSION in banner


def test_it_is_smaller_than_eight_kilobytes_gzipped() -> None:
    assert len(gzip.compress(TRACKER.read_bytes(), 9)) < 8 * 1024


def test_it_is_served_to_any_origin_and_for_ever(client: Client) -> None:
    served = client.get(f"/static/reemio/{TRACKER.name}")
    assert served.getvalue() == TRACKER.read_bytes()
    # A digest on the tag (`integrity`) needs `crossorigin`, and that needs this.
    assert served["Access-Control-Allow-Origin"] == "*"
    assert "immutable" in served["Cache-Control"]


def test_whoever_has_it_need_not_ask_again() -> None:
    for path in HOME.glob("reemio-*"):
        assert re.match(settings.WHITENOISE_IMMUTABLE_FILE_TEST, f"/static/reemio/{path.name}")
    assert not re.match(settings.WHITENOISE_IMMUTABLE_FILE_TEST, "/static/reemio/reemio.d.ts")
    assert not re.match(settings.WHITENOISE_IMMUTABLE_FILE_TEST, "/static/shop/shop.js")


@pytest.mark.parametrize("document", ["tracker.md", "integration.md"])
def test_the_documents_name_this_version_and_the_digest_of_this_file(document: str) -> None:
    """As it may be kept for ever, the file may not change under its name: what people have changes by a new version."""
    text = (ROOT / "docs" / document).read_text()
    assert set(re.findall(r"reemio-([\d.]+\d)\.(?:js|css)", text)) == {VERSION}
    assert set(re.findall(r'integrity="([^"]+)"', text)) <= {f"sha384-{DIGEST}"}


def test_the_types_name_every_call_and_no_other() -> None:
    calls = SOURCES[-1].read_text().split("const reemio = {")[1].split("\n};")[0]
    named = set(re.findall(r"^  (?:get )?(\w+)[:(]", calls, re.MULTILINE))
    typed = (HOME / "reemio.d.ts").read_text().split("interface Reemio {")[1].split("\n}")[0]
    assert named == set(re.findall(r"^  (?:readonly )?(\w+)[<(:]", typed, re.MULTILINE))
    assert "render" in named
