"""Dashboard and alerts speak of metrics that exist, and each alert says what to do."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
SUFFIXES = r"(?:_bucket|_count|_sum)$"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return list(json.loads((ROOT / "deploy" / "grafana" / "reemio.json").read_text())["panels"])


def documented() -> set[str]:
    return set(re.findall(r"`(reemio_[a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text()))


def test_alerts_and_panels_ask_only_for_metrics_that_there_are() -> None:
    asked = [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]
    names = {re.sub(SUFFIXES, "", name) for text in asked for name in re.findall(r"\breemio_[a-z_]+", text)}
    assert len(names) > 10
    assert names - documented() == set()


def test_every_alert_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"(?m)^\| `(Reemio\w+)` \|", (ROOT / "docs" / "operations.md").read_text()))
    assert explained == {rule["alert"] for rule in rules()}


def test_every_alert_says_how_urgent_it_is_and_what_happened() -> None:
    assert {rule["labels"]["severity"] for rule in rules()} == {"page", "ticket"}
    assert all(rule["annotations"]["summary"].endswith(".") for rule in rules())


def test_every_panel_has_a_title_of_its_own_and_says_what_it_shows() -> None:
    titles = [panel["title"] for panel in panels()]
    assert len(titles) == len(set(titles))
    assert all(panel["description"] for panel in panels())
