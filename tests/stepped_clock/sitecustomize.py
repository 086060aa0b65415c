"""In processes that find this on their path, the time of day is off by what a file says."""

import os
import time
from pathlib import Path

_real, _file = time.time, Path(os.environ["STEPPED_CLOCK"])


def _stepped() -> float:
    return _real() + float(_file.read_text() or 0)


time.time = _stepped
