"""The house stands: the import line holds, models, migrations and the API's document agree, and nothing lies about."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django_migration_linter import MigrationLinter

ROOT = Path(__file__).resolve().parent.parent.parent
# Nothing ran before the first release that these could break.
UNRELEASED = ["0002_inbox", "0004_signals"]
TOP_LEVEL = {
    "reemio",
    "recommendations",
    "interactions",
    "analytics",
    "campaigns",
    "catalog",
    "templates",
    "static",
    "tests",
    "manage.py",
    "pyproject.toml",
    "Dockerfile",
    "docker-compose.yml",
    "README.md",
    "deploy",
    "render.yaml",
    "docs",
    "benchmarks",
    "Makefile",
    "requirements.lock",
    ".env.example",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    ".ci",
    ".gitignore",
    ".dockerignore",
}


def test_the_import_line_holds() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "app",
    ["access", "audit", "pulse", "retention", "catalog", "interactions", "recommendations", "campaigns", "analytics"],
)
def test_no_migration_would_break_the_version_that_still_runs(app: str) -> None:
    linter = MigrationLinter(
        str(ROOT), include_apps=[app], no_cache=True, no_output=True, ignore_initial_migrations=True,
        ignore_name=UNRELEASED,
        analyser_string="postgresql", ignore_sqlmigrate_errors=True,
    )  # fmt: skip
    linter.lint_all_migrations()
    assert linter.nb_erroneous == 0


@pytest.mark.django_db
def test_the_committed_openapi_document_is_the_one_that_is_served(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))
    committed = (ROOT / "docs" / "openapi.yaml").read_text()
    assert (tmp_path / "openapi.yaml").read_text() == committed, "Run `make openapi`, and commit what it writes."


def test_nothing_lies_at_the_top_that_does_not_belong_there() -> None:
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        pytest.skip("not a git checkout")
    assert {path.split("/")[0].strip('"') for path in done.stdout.splitlines()} - TOP_LEVEL == set()


def test_the_lock_pins_one_version_each_and_names_no_index() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if line.count("==") != 1 or "://" in line or "+" in line] == []
    names = [line.partition("==")[0].lower() for line in lines]
    assert len(names) == len(set(names))
