"""What docs/integration.md tells a developer to paste works, in the order in which it stands there."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from analytics.integration.checks import CHECKS, check_integration
from analytics.integration.findings import Window
from interactions.models import Interaction, MergedSession
from reemio.access.identity import token_for
from reemio.access.models import ApiKey, issue_key

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "integration.md"
SAMPLES = re.findall(r"^```(bash|python|php)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
PHP = shutil.which("php")


def run(language: str, code: str, environment: dict[str, str], folder: Path) -> str:
    program = {"bash": ["bash", "-eu"], "python": [sys.executable], "php": [PHP or "php"]}[language]
    path = folder / "sample"
    # A page may not wait for long; a test on a busy machine may.
    path.write_text(code.replace("timeout=2", "timeout=60").replace("'timeout' => 2", "'timeout' => 60"))
    done = subprocess.run([*program, path], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_sample_runs_against_a_reemio_that_wants_keys(
    live_server: LiveServer, committed_database: None, settings: Settings, tmp_path: Path
) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    settings.REEMIO_IDENTITY_SECRET = "of the shop"
    _, key = issue_key(name="server", kind=ApiKey.Kind.SECRET)
    environment = os.environ | {
        "REEMIO_URL": live_server.url, "REEMIO_SECRET_KEY": key, "REEMIO_IDENTITY_SECRET": "of the shop",
    }  # fmt: skip
    said = [
        (language, run(language, code, environment, tmp_path))
        for language, code in SAMPLES
        if language != "php" or PHP is not None
    ]
    told = "\n".join(output for _, output in said)
    assert sorted({language for language, _ in said} | {"php"}) == ["bash", "php", "python"]
    assert '"accepted":2' in told.replace(" ", "")
    assert "{'accepted': 1, 'duplicates': 0, 'rejected': 0, 'errors': []}" in told
    assert "1 Sleeping Mat -" in told
    assert f'data-user-token="{token_for("user123")}"' in told
    orders = set(Interaction.objects.filter(interaction_type="purchase").values_list("order_id", flat=True))
    assert orders - {"A-1003"} == {"A-1001", "A-1002"}
    assert MergedSession.objects.get().user_id == "user123"


@pytest.mark.skipif(PHP is None, reason="php-cli is not installed")
def test_the_php_samples_are_php(tmp_path: Path) -> None:
    for language, code in SAMPLES:
        if language == "php":
            path = tmp_path / "sample.php"
            path.write_text(code)
            subprocess.run([PHP or "php", "-l", path], check=True, capture_output=True)


@pytest.mark.django_db
def test_the_page_lists_every_check_and_no_other() -> None:
    window = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC))
    names = [finding.name for finding in check_integration(window)]
    table = PAGE.read_text().split("| line | passes where |")[1]
    assert re.findall(r"^\| ([A-Z][\w ]+) \|", table, re.MULTILINE) == names
    assert len(names) == len(CHECKS)
