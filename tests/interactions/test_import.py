"""`manage.py import_interactions`: each row once, whatever happens on the way."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interactions.importing import run, staging
from interactions.importing.files import EventFile
from interactions.importing.identity import Occurrences, digest_of
from interactions.importing.learned import Learned
from interactions.models import FreshInteraction, Interaction, MergedSession, RewrittenHistory

HEADER = "user_id,session_id,product_id,interaction_type,occurred_at,order_id,quantity,unit_price"
GOOD = ["17850,,21730,purchase,2010-12-01T08:26:00Z,536365,6,", ",order-1,22752,PURCHASE,2010-12-01T08:27:00Z,1,2,3.50"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(lines: list[str], name: str = "events.csv") -> str:
    text = "\n".join(lines) + "\n"
    if name.endswith(".gz"):
        Path(name).write_bytes(gzip.compress(text.encode("utf-8", "surrogateescape")))
    else:
        Path(name).write_text(text, "utf-8", "surrogateescape")
    return name


def do_import(name: str, capsys: Any, **options: Any) -> str:
    call_command("import_interactions", name, **options)
    return str(capsys.readouterr().out)


def test_a_csv_file_is_stored_field_by_field(capsys: Any) -> None:
    told = do_import(write([HEADER, *GOOD]), capsys)
    assert told == "2 rows: 2 stored, 0 stored before, 0 refused.\n"
    known, guest = Interaction.objects.order_by("occurred_at")
    assert (known.user_id, known.session_id, known.product_id, known.order_id) == ("17850", None, "21730", "536365")
    assert (known.interaction_type, known.quantity, known.unit_price) == ("purchase", 6, None)
    assert known.occurred_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert (guest.user_id, guest.session_id, str(guest.unit_price)) == (None, "order-1", "3.50")
    assert list(RewrittenHistory.objects.order_by("subject").values_list("subject", flat=True)) == [
        "s:order-1",
        "u:17850",
    ]
    assert not FreshInteraction.objects.exists()
    assert not Path("events.csv.refused.jsonl").exists()


def test_importing_again_adds_nothing_and_rewrites_nobody(capsys: Any) -> None:
    name = write([HEADER, *GOOD, GOOD[0]], "events.csv.gz")
    assert do_import(name, capsys) == "3 rows: 3 stored, 0 stored before, 0 refused.\n"
    RewrittenHistory.objects.all().delete()
    assert do_import(name, capsys) == "3 rows: 0 stored, 3 stored before, 0 refused.\n"
    assert Interaction.objects.count() == 3
    assert not RewrittenHistory.objects.exists()


def test_identical_rows_are_all_kept_across_batches(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    name = write([HEADER, *([GOOD[0]] * 5), GOOD[1], GOOD[0]])
    assert do_import(name, capsys).startswith("7 rows: 7 stored")
    assert do_import(name, capsys).startswith("7 rows: 0 stored, 7 stored before")


def test_a_row_without_a_time_is_itself_again_tomorrow(capsys: Any) -> None:
    name = write(["user_id,product_id,interaction_type", "u,p,view", "u,p,view"])
    do_import(name, capsys)
    assert do_import(name, capsys).startswith("2 rows: 0 stored, 2 stored before")


def test_the_same_row_in_json_lines_is_the_same_event(capsys: Any) -> None:
    do_import(write([HEADER, *GOOD]), capsys)
    lines = [
        {"user_id": "17850", "product_id": "21730", "interaction_type": "purchase", "order_id": "536365",
         "occurred_at": "2010-12-01T08:26:00Z", "quantity": 6},
        {"user_id": "new", "product_id": "2", "interaction_type": "view", "device": "mobile", "extra_data": {"a": 1}},
    ]  # fmt: skip
    told = do_import(write([json.dumps(line) for line in lines], "more.jsonl.gz"), capsys)
    assert told == "2 rows: 1 stored, 1 stored before, 0 refused.\n"
    assert Interaction.objects.get(user_id="new").extra_data == {"device": "mobile", "a": 1}


def test_unknown_columns_go_to_extra_data(capsys: Any) -> None:
    header = "user_id,product_id,interaction_type,timeOnPageSeconds,colour,extra_data"
    do_import(write([header, 'u,p,view,25,red,"{""device"": ""mobile""}"', "v,p,view,,,"]), capsys)
    extra = dict(Interaction.objects.values_list("user_id", "extra_data"))
    assert extra == {"u": {"timeOnPageSeconds": 25, "colour": "red", "device": "mobile"}, "v": {}}


def test_refused_rows_are_counted_shown_and_kept(capsys: Any) -> None:
    bad = [
        "u,,p,glance,2010-12-01T08:26:00Z,,,",
        "u,,p,view,yesterday,,,",
        "u,,p,view,2010-12-01T08:26:00Z,,six,",
        "u,,p\x00,view,2010-12-01T08:26:00Z,,,",
        "u,,p\udcff,view,2010-12-01T08:26:00Z,,,",
        "u,,,view,2010-12-01T08:26:00Z,,,",
        ",,p,view,2010-12-01T08:26:00Z,,,",
        "u,p,view",
    ]
    told = do_import(write([HEADER, bad[0], GOOD[0], *bad[1:]]), capsys, refused_to="refused.jsonl")
    assert told.startswith("9 rows: 1 stored, 0 stored before, 8 refused.\n")
    assert "1 × occurred_at: Not an ISO 8601 time. (line 4)" in told
    assert "2 × product_id: Contains characters that are not valid text. (line 6, 7)" in told
    assert told.endswith("The refused rows are in refused.jsonl.\n")
    kept = [json.loads(line) for line in Path("refused.jsonl").read_text().splitlines()]
    assert [entry["line"] for entry in kept] == [2, 4, 5, 6, 7, 8, 9, 10]
    assert kept[1]["row"]["occurred_at"] == "yesterday"
    assert kept[5]["reasons"] == ["product_id: This field is required."]
    assert Interaction.objects.count() == 1


def test_bad_json_lines_are_refused_singly(capsys: Any) -> None:
    good = json.dumps({"user_id": "u", "product_id": "p", "interaction_type": "view"})
    told = do_import(write([good, "{", "[1]", '{"user_id": NaN}', good], "events.jsonl"), capsys)
    assert told.startswith("5 rows: 2 stored, 0 stored before, 3 refused.\n")


def test_a_dry_run_stores_nothing(capsys: Any) -> None:
    told = do_import(write([HEADER, *GOOD, "u,,,view,,,,"]), capsys, dry_run=True)
    assert told.startswith("3 rows: 2 good, 1 refused.\n")
    assert not Interaction.objects.exists()
    assert not RewrittenHistory.objects.exists()


@pytest.mark.parametrize("header", ["", "user_id,product_id", "interaction_type,product_id", HEADER + ",user_id"])
def test_a_file_without_a_usable_header_is_refused_as_a_whole(header: str, capsys: Any) -> None:
    with pytest.raises(CommandError, match="header"):
        do_import(write([header, *GOOD]), capsys)
    assert not Interaction.objects.exists()


def test_a_damaged_archive_keeps_what_was_whole(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 100)
    lines = [f"u{n},,p{n * 7919 % 1000},view,2010-12-01T08:26:00Z,,," for n in range(20_000)]
    whole = Path(write([HEADER, *lines], "events.csv.gz"))
    Path("cut.csv.gz").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(CommandError, match="damaged"):
        do_import("cut.csv.gz", capsys)
    stored = Interaction.objects.count()
    assert 0 < stored < 20_000
    assert do_import("events.csv.gz", capsys).startswith(
        f"20,000 rows: {20_000 - stored:,} stored, {stored:,} stored before"
    )


def test_a_missing_file_is_said() -> None:
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("import_interactions", "nowhere.csv")


def test_events_of_a_merged_session_are_the_users(capsys: Any) -> None:
    MergedSession.objects.create(session_id="order-1", user_id="wanjiku")
    do_import(write([HEADER, *GOOD]), capsys)
    assert Interaction.objects.get(session_id="order-1").user_id == "wanjiku"
    assert set(RewrittenHistory.objects.values_list("subject", flat=True)) == {"u:17850", "u:wanjiku"}


def test_two_imports_of_one_file_at_once_store_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 50)
    lines = [f"u{n % 40},,p,view,2010-12-01T08:26:00Z,{n},," for n in range(1000)]
    one, other = write([HEADER, *lines]), write([HEADER, *reversed(lines)], "other.csv")
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def work(name: str) -> None:
        try:
            start.wait()
            call_command("import_interactions", name)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Interaction.objects.count() == 1000
    assert RewrittenHistory.objects.count() == 40


def test_a_batch_that_meets_a_newer_row_goes_by_the_temporary_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_unknown", lambda cursor, lines: list(lines))
    text = "{}\tview\tu\t\\N\tp\t2010-12-01T08:26:00Z\t\\N\t\\N\t\t\\N\t\t\\N\t\\N\t\t{{}}\n"
    first, second = (staging.Line(name, text.format(name), "u", None) for name in ("a", "b"))
    assert staging.store([first]) == 1
    assert staging.store([first, second]) == 1
    assert sorted(Interaction.objects.values_list("event_id", flat=True)) == ["a", "b"]


def test_an_import_that_is_killed_goes_on_where_it_stood(capsys: Any, settings: Any) -> None:
    lines = [f"u{n % 50},,p{n},view,2010-12-01T08:26:00Z,,," for n in range(60_000)]
    name = write([HEADER, *lines])
    url = settings.DATABASES["default"]
    environment = {**os.environ, "DATABASE_URL": f"postgresql://{url['USER']}@/{url['NAME']}?host={url['HOST']}"}
    manage = Path(run.__file__).parents[2] / "manage.py"
    killed = subprocess.Popen([sys.executable, str(manage), "import_interactions", name], env=environment)
    try:
        while not Interaction.objects.exists() and killed.poll() is None:
            pass
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    stored = Interaction.objects.count()
    assert 0 < stored < 60_000
    assert stored % run.BATCH == 0
    assert RewrittenHistory.objects.count() == 50
    assert do_import(name, capsys) == f"60,000 rows: {60_000 - stored:,} stored, {stored:,} stored before, 0 refused.\n"
    assert Interaction.objects.count() == 60_000


@given(st.lists(st.lists(st.integers(0, 6), max_size=20), max_size=12))
def test_occurrences_count_as_a_dictionary_would(batches: list[list[int]]) -> None:
    counts: dict[int, int] = {}
    occurrences = Occurrences()
    for batch in batches:
        expected = []
        for key in batch:
            expected.append(counts.get(key, 0))
            counts[key] = counts.get(key, 0) + 1
        assert occurrences.number([digest_of(str(key)) for key in batch]) == expected


CELLS = {
    "user_id": ["", "u1", "u2", "a\\b", "é", "x" * 129, "\udcff"],
    "session_id": ["", "s1", "tab\there"],
    "product_id": ["", "p1", "p2", " p"],
    "interaction_type": ["view", "VIEW", "purchase", "search", "recommendation_click", "glance", ""],
    "occurred_at": ["2010-12-01T08:26:00Z", "2010-12-01", "2010-12-01 08:26:00+02:00", "", "yesterday", "2999-01-01"],
    "quantity": ["", "1", "06", "0", "six", "1.5"],
    "unit_price": ["", "3.5", "3.505", "-1"],
    "currency": ["", "usd", "EUR", "dollar"],
    "order_id": ["", "o1"],
    "event_id": ["", "", "e1", "e2", "e\\1", "e\x7f", "e" * 65],
    "search_query": ["", "", "", "shoes"],
    "colour": ["", "", "red"],
}


@given(
    st.sets(st.sampled_from(sorted(CELLS))).flatmap(
        lambda names: st.tuples(
            st.permutations(sorted(names | {"user_id", "interaction_type"})),
            st.lists(st.randoms(use_true_random=False), min_size=1, max_size=25),
        )
    )
)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_what_was_learned_of_a_file_makes_the_same_lines_as_validation(drawn: Any) -> None:
    header, randoms = drawn
    # Few different cells, so that most of them come again.
    rows = [[random.choice(CELLS[name]) for name in header] for random in randoms for _ in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        assert read(path, learning=True) == read(path, learning=False)


def read(path: Path, *, learning: bool) -> Any:
    """Return the lines of a file, and all that was refused; with its times of reading left out."""
    file, report, refused_to = EventFile(path), run.ImportReport(), path.with_suffix(".refused")
    refused_to.unlink(missing_ok=True)
    reading = run._Run(report, file, refused_to)
    reading._now = datetime(2026, 1, 1, tzinfo=UTC)
    row_of = Learned.row_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learned, "row_of", row_of if learning else lambda self, cells: None)
        lines = reading.read_batch()
    reading.close()
    file.close()
    return lines, report, refused_to.read_text() if refused_to.exists() else ""


def test_most_rows_of_an_ordinary_file_are_put_together_from_what_was_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    validated: list[Any] = []
    read_interaction = run.read_interaction
    monkeypatch.setattr(run, "read_interaction", lambda *a, **k: validated.append(a) or read_interaction(*a, **k))
    lines = [f"u{n % 7},,p{n % 11},view,2010-12-01T08:26:00Z,,{1 + n % 3}," for n in range(500)]
    call_command("import_interactions", write([HEADER, *lines]))
    assert Interaction.objects.count() == 500
    assert len(validated) <= 3
