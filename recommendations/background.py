"""Long work of the engine in a process of its own: it gives way to the site, and gives its memory back when it ends."""

import os
import subprocess
import sys

from reemio.bootstrap import BASE_DIR

# Behind everything else on the machine, but not starved.
NICENESS = 15


def run_command(*arguments: str, seconds: float) -> int:
    """Run one `manage.py` command behind everything else; return its exit status.

    Raises `subprocess.TimeoutExpired` where it takes longer than `seconds`; it is ended then.
    """
    command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
    with subprocess.Popen(command, cwd=BASE_DIR) as process:  # noqa: S603  our own command, its arguments are our own
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            return process.wait(seconds)
        except BaseException:
            process.kill()
            raise
