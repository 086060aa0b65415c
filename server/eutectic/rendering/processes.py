"""Workers on this machine: a process each, one for each GPU, or as many as there are processors.

On a CPU, workers with one thread each make more than fewer with several. The first worker says what
it computes on; only then is it known how many others there are to be, so it has begun by then.

A worker that dies is started again. What it hadn't done of its order is done again, piece by piece,
so that whatever kills workers is found: it does so once more, and is left out.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

import msgspec
import psutil

from eutectic import environment
from eutectic.errors import BadInput
from eutectic.link.errands import Wanted
from eutectic.rendering import protocol, rows
from eutectic.rendering.destination import Sink, open_destination
from eutectic.rendering.pool import Done, Reference, Setup
from eutectic.rendering.protocol import (
    Answer, Did, Ended, Learn, Learned, Make, Order, Ready, Refused, Start,
)  # fmt: skip
from eutectic.rendering.work import Batch, Row

DEATHS = 2
"""Workers that an order may kill before it is given up."""

STARTS = 3
"""Times in a row that a worker may die before it has loaded its model."""

CACHE_BYTES = 1 << 30
"""Memory for a worker's cache, where there is enough; all together take a quarter at most."""

ROOM = 2
"""Of the memory that the first worker takes: what must be free for each of the others."""

LEAVE_SECONDS = 3.0
