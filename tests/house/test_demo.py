"""`make demo` runs once per checkout, on a free port, and cleans up after one that was killed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from reemio.embedded.processes import is_alive, stop_process
from reemio.management.alone import MARK, end_leftovers, only_one, port_is_free
from reemio.management.commands.demo_data import ensure_admin

User = get_user_model()
ROOT = Path(__file__).resolve().parent.parent.parent
HOLD = """
import sys, time
from pathlib import Path
from reemio.management.alone import only_one
with only_one(Path(sys.argv[1]), port="8123"):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(state: Path) -> "subprocess.Popen[str]":
    """Another process that holds the lock of the demo, as `manage.py demo` would."""
    command = [sys.executable, "-c", HOLD, str(state), "demo"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_demo_of_the_same_checkout_says_where_the_first_one_is(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        message = rf"running already: http://localhost:8123/ \(process {first.pid}\)"
        with pytest.raises(CommandError, match=message), only_one(tmp_path, port="8000"):
            pytest.fail("it was let in")
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()


def test_after_the_first_one_was_killed_the_next_one_may(tmp_path: Path) -> None:
    first = holder(tmp_path)
    first.kill()
    first.wait()
    with only_one(tmp_path, port="8000"):
        assert (tmp_path / "demo.lock").read_text() == f"{os.getpid()} 8000"


def test_what_a_killed_demo_left_running_is_ended_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    ours = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: str(tmp_path / "mine")})
    stubborn = subprocess.Popen(
        [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"],
        env={**os.environ, MARK: str(tmp_path / "mine")},
    )
    others = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: str(tmp_path / "other")})
    try:
        end_leftovers(tmp_path / "mine")
        assert not is_alive(ours.pid)
        assert not is_alive(stubborn.pid)
        assert others.poll() is None
    finally:
        for process in (ours, stubborn, others):
            process.kill()
            process.wait()


def test_a_port_that_is_taken_is_named_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(CommandError, match=rf"Port {port} cannot be used: .*in use.*PORT=8011 make demo"):
            port_is_free("127.0.0.1", port)
    port_is_free("127.0.0.1", port)


@pytest.mark.parametrize("port", ["http", "", "-1", "70000"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(CommandError):
        port_is_free("127.0.0.1", port)


def test_nothing_is_started_where_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = {**os.environ, "REEMIO_STATE_DIR": str(tmp_path), "PORT": str(taken.getsockname()[1])}
        done = subprocess.run(
            [sys.executable, "manage.py", "demo"], cwd=ROOT, env=told, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["demo.lock"]


@pytest.mark.django_db
class TestTheAdminsAccount:
    """Who may sign in after `make demo`, and with what."""

    @pytest.fixture(autouse=True)
    def _no_wishes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DJANGO_SUPERUSER_USERNAME", raising=False)
        monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)

    def test_a_password_is_made_up_once_and_kept_from_others(self, tmp_path: Path) -> None:
        file = tmp_path / "state" / "admin-password"
        ensure_admin(file)
        ensure_admin(file)
        admin = User.objects.get()
        assert (admin.username, admin.is_superuser, admin.is_staff) == ("admin", True, True)
        assert admin.check_password(file.read_text())
        assert len(file.read_text()) >= 16
        assert file.stat().st_mode & 0o777 == 0o600

    def test_a_new_database_gets_the_password_that_was_kept(self, tmp_path: Path) -> None:
        (tmp_path / "admin-password").write_text("kept from before")
        ensure_admin(tmp_path / "admin-password")
        assert User.objects.get().check_password("kept from before")

    def test_what_the_environment_names_wins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "nafula")
        for password in ("first", "second"):
            monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
            ensure_admin(tmp_path / "admin-password")
            assert User.objects.get(username="nafula").check_password(password)
        assert list(tmp_path.iterdir()) == []

    def test_a_password_that_was_changed_in_the_admin_stays(self, tmp_path: Path) -> None:
        ensure_admin(tmp_path / "admin-password")
        admin = User.objects.get()
        admin.set_password("my own")
        admin.save()
        ensure_admin(tmp_path / "admin-password")
        assert User.objects.get().check_password("my own")


@pytest.mark.django_db
def test_a_real_shop_gets_no_made_up_shoppers(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("demo_data")
    assert not User.objects.exists()


def test_the_banner_of_make_help_lists_every_target() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for target in ("demo", "test", "check", "run", "worker", "beat", "lock", "clean"):
        assert f"  {target} " in done.stdout


def test_a_stuck_process_is_reported_as_not_gone() -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert stop_process(process.pid, number=signal.SIGTERM, seconds=0.2) is False
        assert stop_process(process.pid, number=signal.SIGKILL, seconds=10) is True
    finally:
        process.kill()
        process.wait()
