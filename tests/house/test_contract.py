"""A generic tester of APIs, sent against the real server, finds nothing that the served schema does not promise.

`REEMIO_FUZZ_REQUESTS` says how many requests to send at least, about; `make fuzz` sends 2,000.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from catalog.models import Product
from reemio.bootstrap import BASE_DIR
from tests.conftest import environment

REQUESTS = int(os.environ.get("REEMIO_FUZZ_REQUESTS", "400"))
HOOKS = "tests.house.known_products"
# Not asked: positive_data_acceptance, since rules such as "a user_id or a session_id" and "a product that exists" are
# not JSON Schema's to tell; ignored_auth, since the development's default is that nobody needs a key.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "use_after_free",
]


@pytest.fixture
def products(committed_database: None, tmp_path: Path) -> str:
    """Twelve products that exist: their ids, comma-separated."""
    lines = (BASE_DIR / "reemio" / "demo" / "catalogue.csv").read_text().splitlines()[:13]
    path = tmp_path / "catalogue.csv"
    path.write_text("\n".join(lines) + "\n")
    call_command("sync_products", source="file", path=path, verbosity=0)
    return ",".join(Product.objects.order_by("pk").values_list("product_id", flat=True))


@pytest.mark.slow
def test_every_answer_is_as_the_schema_says(products: str, granian_server: str) -> None:
    # The boundaries of each parameter make some 2,000 requests more, whatever is asked for.
    phases = "examples,coverage,fuzzing" if REQUESTS >= 1000 else "examples,fuzzing"
    each = max(REQUESTS // 15, 3)
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{granian_server}/api/schema/?format=json", "--no-color",
        "--checks", ",".join(CHECKS), "--max-examples", str(each), "--seed", "1", "--workers", "1",
        "--phases", phases, "--generation-database", "none", "--continue-on-failure",
    ]  # fmt: skip
    told = environment() | {"SCHEMATHESIS_HOOKS": HOOKS, "REEMIO_KNOWN_PRODUCTS": products, "COLUMNS": "120"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=BASE_DIR, env=told, check=False)
    report = done.stdout + done.stderr
    assert done.returncode == 0, report
    generated = re.search(r"([\d,]+) generated", report)
    assert generated, report
    print(f"{generated[1]} requests")  # noqa: T201  the figure that a reader of `make fuzz` looks for
    assert int(generated[1].replace(",", "")) >= REQUESTS, report
