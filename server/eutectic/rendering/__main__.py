"""`python -m eutectic.rendering`: a worker's process, started by a pool."""

import os
import signal
import sys

from eutectic.system.processes import set_niceness

NICENESS = 10
"""Whoever uses this machine meanwhile goes first."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool ends this process by closing the pipe
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # libraries may print; answers have their own pipe
    set_niceness(NICENESS)

    from eutectic.rendering.process import run

    sys.exit(run(sys.stdin.buffer, answers))


if __name__ == "__main__":
    main()
