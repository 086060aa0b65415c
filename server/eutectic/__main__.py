"""Entry point of `eutectic` and `python -m eutectic`."""

import contextlib
import os
import signal
import sys

from eutectic.cli import run


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as on Ctrl-C
    code = run(sys.argv[1:])
    if "torch" in sys.modules:  # its threads may abort a process whose interpreter ends
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
