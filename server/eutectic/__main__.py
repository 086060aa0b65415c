"""`eutectic` and `python -m eutectic`."""

import sys

from eutectic.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
