"""`python -m eutectic.engine`: the engine process, started by the daemon.

With `--spare` alone it imports everything, then waits for a line with its arguments.
"""

import argparse
import json
import os
import signal
import sys
import threading

AT_ONCE_SECONDS = 1.0
"""A spare that hasn't been told its arguments by then will have to wait, and has time."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Eutectic's engine, started by the daemon.")
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--compute")
    parser.add_argument("--store", required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--daemon-pid", type=int, required=True)
    is_spare = sys.argv[1:] == ["--spare"]
    arguments = None if is_spare else parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon ends this process by closing the pipe
    results = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # libraries may print; results have their own pipe
    if hasattr(os, "nice"):
        os.nice(15)

    from eutectic.engine.process import import_rest, run

    if arguments is None:
        rest = threading.Timer(AT_ONCE_SECONDS, import_rest)
        rest.daemon = True
        rest.start()
        line = sys.stdin.buffer.readline()
        rest.cancel()
        if not line:  # the daemon has left
            return
        arguments = parser.parse_args(json.loads(line))
    code = run(arguments, sys.stdin.buffer, results)
    sys.stderr.flush()
    os._exit(code)  # a thread reads standard input, on which the interpreter's end would stumble


if __name__ == "__main__":
    main()
