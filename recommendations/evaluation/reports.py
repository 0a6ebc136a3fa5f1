"""An evaluation in words and tables: Markdown for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recommendations.evaluation.files import written_whole
from recommendations.models import Evaluation

METRIC_TITLES: Mapping[str, str] = {
    "ndcg": "NDCG@10",
    "hr": "HR@10",
    "recall": "Recall@10",
    "mrr": "MRR@10",
    "novelty": "Novelty, bits",
}
METHOD_TITLES: Mapping[str, str] = {
    "reemio": "Reemio",
    "content_only": "content only",
    "item_knn_only": "item-kNN only",
    "own_repeat": "own repeat",
    "recent_popular": "popular, last 7 days",
    "popular": "popular, ever",
    "random": "random",
}
TASK_TITLES: Mapping[str, str] = {
    "homepage_all": "Homepage, repeats counted",
    "homepage_new": "Homepage, only new to the shopper",
    "cart": "Cart",
    "product": "Product page",
    "bought_together": "Bought together",
}


def write_reports(evaluation: Evaluation, folder: Path) -> tuple[Path, Path]:
    """Write the Markdown and the JSON report into `folder`, which is made where needed; return their paths.

    Raises OSError where they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"evaluation-{evaluation.pk}"
    texts = {
        folder / f"{name}.md": as_markdown(evaluation),
        folder / f"{name}.json": json.dumps(evaluation.results, indent=1) + "\n",
    }
    for path, text in texts.items():
        with written_whole(path) as handle:
            handle.write(text)
    markdown, figures = texts
    return markdown, figures


def as_markdown(evaluation: Evaluation) -> str:
    """Return the report for people."""
    results = evaluation.results
    foretold = results["foretold"]
    lines = [
        f"# Evaluation {evaluation.pk}: model version {results['model_version']}, as of {results['as_of']}",
        "",
        f"The lists knew {foretold['before']:,} {foretold['kind']} events before that moment and were held against"
        f" {foretold['after']:,} after it. Every one of {results['products']:,} products could be shown: full ranking,"
        " no sampled negatives. In brackets: 95 % bootstrap intervals over cases."
        f" Seed {results['seed']}; {evaluation.seconds:.0f} s.",
    ]
    for task in results["tasks"]:
        lines += ["", *_section(task)]
    return "\n".join(lines) + "\n"


def _section(task: Mapping[str, Any]) -> list[str]:
    lines = [f"## {TASK_TITLES[task['task']]}", "", f"{task['asked']} {cases_in_words(task)}"]
    if not task["methods"]:
        return lines
    head = ["method", *METRIC_TITLES.values(), "Coverage", "Reemio's lead, NDCG@10"]
    lines += ["", f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + [f"| {' | '.join(row)} |" for row in rows_of(task)]


def cases_in_words(task: Mapping[str, Any]) -> str:
    """Say how many cases there are, and what that means."""
    count, available = task["cases"], task["cases_available"]
    if count == 0:
        return "No such case in these events: nothing was measured."
    words = f"{count:,} cases" if count == available else f"{count:,} of {available:,} cases, drawn by the seed"
    return f"{words}: too few to conclude from." if task["few"] else f"{words}."


def rows_of(task: Mapping[str, Any]) -> list[list[str]]:
    """Return the cells of a task's table, one row a method."""
    return [
        [
            METHOD_TITLES[found["method"]],
            *(in_words(found[metric], 2 if metric == "novelty" else 4) for metric in METRIC_TITLES),
            f"{found['coverage']:.1%} ({found['shown']:,})",
            ahead_in_words(found.get("engine_ahead")),
        ]
        for found in task["methods"]
    ]


def in_words(interval: Mapping[str, float], digits: int = 4) -> str:
    """Return a mean with its interval, as in “0.2500 [0.2000, 0.3000]”."""
    return f"{interval['mean']:.{digits}f} [{interval['low']:.{digits}f}, {interval['high']:.{digits}f}]"


def ahead_in_words(interval: Mapping[str, float] | None) -> str:
    """Return the engine's lead, and whether its sign is certain."""
    if interval is None:
        return "–"
    verdict = "ahead" if interval["low"] > 0 else "behind" if interval["high"] < 0 else "undecided"
    return f"{interval['mean']:+.4f} [{interval['low']:+.4f}, {interval['high']:+.4f}] {verdict}"


def best_of(intervals: Sequence[Mapping[str, float] | None]) -> list[bool]:
    """Tell which of several have the largest mean; none where fewer than two can be compared."""
    means = [one["mean"] for one in intervals if one is not None]
    if len(means) < 2:
        return [False] * len(intervals)
    return [one is not None and one["mean"] == max(means) for one in intervals]
