"""`eutectic` and `python -m eutectic`."""

import signal
import sys

from eutectic.cli import run


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was begun is ended, too
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
