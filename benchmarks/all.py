"""Every budget, one benchmark after the other, and one table at the end.

    python -m benchmarks.all [--without growth …]

Takes more than an hour, nearly all of it for the three with ten million interactions: analytics, growth and large.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import ROOT
from benchmarks.table import COLLECT, Finding, show

BENCHMARKS = {
    "homepage": ["homepage"],
    "mixed": ["homepage", "--mixed"],
    "batch": ["batch_ingestion"],
    "import": ["import_interactions"],
    "embedding": ["embedding"],
    "recall": ["search_recall"],
    "analytics": ["analytics"],
    "growth": ["growth"],
    "large": ["large", "--write"],
}


def main() -> None:
    """Run all but those that are named, then print everything that was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", nargs="*", choices=list(BENCHMARKS), default=[])
    options = parser.parse_args()
    failed = []
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as collected:
        for name, (module, *arguments) in BENCHMARKS.items():
            if name in options.without:
                continue
            print(f"\n== {name}", flush=True)
            command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
            if subprocess.run(command, cwd=ROOT, env=os.environ | {COLLECT: collected.name}, check=False).returncode:
                failed.append(name)
        findings = [Finding(**json.loads(line)) for line in collected]
    print("\n== all\n")
    show(findings)
    if failed:
        sys.exit(f"These did not come to an end: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
