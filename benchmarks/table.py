"""What a benchmark found, beside its reference and its budget, as one table."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

# Names a file that findings are added to, for whoever runs several benchmarks.
COLLECT = "REEMIO_BENCHMARK_FINDINGS"


@dataclass(frozen=True)
class Finding:
    """One line: what was measured, the reference in the same run, their ratio, the budget, and whether it is met."""

    what: str
    measured: str
    reference: str
    ratio: str
    budget: str
    met: bool | None = None


def show(findings: Sequence[Finding]) -> None:
    """Print the lines as a Markdown table, and the load of the machine, which explains slow runs."""
    print(text_of(findings))
    if os.environ.get(COLLECT):
        with Path(os.environ[COLLECT]).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(one)) + "\n" for one in findings)


def text_of(findings: Sequence[Finding]) -> str:
    """Return the table, and below it the machine's load and cores."""
    header = ("what", "measured", "reference, same run", "ratio", "budget", "met")
    marks = {True: "yes", False: "NO", None: ""}
    rows = [
        header,
        *((one.what, one.measured, one.reference, one.ratio, one.budget, marks[one.met]) for one in findings),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    one, five, _ = os.getloadavg()
    load = f"Load of this machine: {one:.1f} over the last minute, {five:.1f} over five; {os.cpu_count()} cores."
    return "\n".join([*lines, "", load])


def write(text: str, path: Path, mark: str) -> None:
    """Put the text between the two comments in `path` that carry the mark."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
