"""A sender that is killed at one exact point: `python -m tests.campaigns.dying_sender <point> <after> <now>`.

It is a real process with the real sender; at the chosen point, the `after`-th time it comes there, it kills itself the
way an operator's `kill -9` or the kernel would.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from reemio.bootstrap import prepare

prepare()

import django  # noqa: E402  settings need the prepared environment

django.setup()

from campaigns.sending import hand_off, sender  # noqa: E402  needs Django
from campaigns.sending.provider import Provider  # noqa: E402  needs Django


def dying(function: Callable[..., Any], *, after: int, before_call: bool) -> Callable[..., Any]:
    """Return the function, which kills the process before or after its `after`-th call."""
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if before_call and calls == after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if not before_call and calls == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


# Where each state can be left: claimed, judged but not committed, intended, handed over, and after the outcome.
POINTS: dict[str, tuple[Any, str, bool]] = {
    "claimed": (sender, "decide", True),
    "rendered": (hand_off, "_keep_list", False),
    "intended": (sender, "decide", False),
    "calling": (Provider, "send", True),
    "accepted": (Provider, "send", False),
    "noted": (sender, "note", False),
}


def main(point: str, after: str, now: str) -> None:
    """Send until killed."""
    place, name, before_call = POINTS[point]
    setattr(place, name, dying(getattr(place, name), after=int(after), before_call=before_call))
    moment = datetime.fromisoformat(now)
    sender.send_due(clock=lambda: moment)


if __name__ == "__main__":
    main(*sys.argv[1:])
