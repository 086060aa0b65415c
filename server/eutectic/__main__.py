"""Entry point of `eutectic` and `python -m eutectic`."""

import signal
import sys

from eutectic.cli import run


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as on Ctrl-C
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
