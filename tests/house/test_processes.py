"""The real processes: a worker takes what the web sends it."""

from pathlib import Path

from reemio.celery import app
from tests.conftest import wait_until


def test_a_worker_takes_and_finishes_a_task(celery_worker_process: Path) -> None:
    sent = app.send_task("catalog.embed_missing_products")

    def finished() -> bool:
        return f"[{sent.id}] succeeded" in celery_worker_process.read_text()

    wait_until(finished, celery_worker_process.read_text, seconds=60)
