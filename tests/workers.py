"""Two workers, each a process of its own, that share what there is to do; one may be killed midway."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 60  # seconds; it takes some two


def share_work(
    code: str,
    given: Mapping[str, Any],
    is_done: Callable[[], bool],
    is_midway: Callable[[], bool] | None = None,
) -> None:
    """Runs two workers until it is done, or for LONGEST. Takes what each runs, the settings that it
    finds in its first argument, and when one of them is to be killed, if it is."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(given)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        for _ in range(2)
    ]  # fmt: skip
    until = time.monotonic() + LONGEST
    try:
        if is_midway is not None:
            _wait(is_midway, until, 0.005)
            os.kill(workers[0].pid, signal.SIGKILL)
        _wait(is_done, until, 0.1)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _wait(is_so: Callable[[], bool], until: float, seconds: float) -> None:
    while time.monotonic() < until and not is_so():
        time.sleep(seconds)
