"""`python -m eutectic.engine`: the engine process, started by the daemon."""

import argparse
import os
import signal
import sys


def main() -> None:
    parser = argparse.ArgumentParser(description="Eutectic's engine, started by the daemon.")
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--compute")
    parser.add_argument("--store", required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--daemon-pid", type=int, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon ends this process by closing the pipe
    results = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # libraries may print; results have their own pipe
    if hasattr(os, "nice"):
        os.nice(15)

    from eutectic.engine.process import run

    sys.exit(run(arguments, sys.stdin.buffer, results))


if __name__ == "__main__":
    main()
