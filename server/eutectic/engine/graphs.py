"""Network evaluations on a GPU: recorded as graphs, and few enough in flight to be cancelled.

With a CUDA graph an evaluation is one launch instead of a thousand.

A graph computes on the tensors it was recorded with: its arguments are copied in, its result copied
out, weights must change in place, and it has one shape. What can't be recorded, or replays
wrongly, is computed without a graph.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from eutectic.system.cache import Cache

log = logging.getLogger("eutectic.engine")

MAX_GRAPHS = 64
"""Graphs kept: a few lengths, each with the batches of a fan."""

WARM_UPS = 2
"""Runs before recording, which choose kernels and let libraries allocate."""

IN_FLIGHT = 2
"""Evaluations issued before the first of them is done: the GPU never idles, and a cancelled job
ends soon."""

MAX_ERROR = 1e-2
"""Largest relative difference of a graph's first result from the run before recording."""

Arguments = tuple[Tensor | None, ...]
Function = Callable[..., Tensor]


class Recorded(NamedTuple):
    """A recording: `replay` computes `result` from static arguments."""

    replay: Callable[[], Any]
    result: Tensor


Record = Callable[[Callable[[], Tensor]], Recorded]
"""Records a computation on tensors that stay where they are."""


class CudaRecord:
    """Records on the current CUDA device; all its graphs share one memory pool.

    The pool can't be reused once its graphs are freed (torch 2.11): make another recorder.
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, compute: Callable[[], Tensor]) -> Recorded:
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph, pool=self._pool):
                result = compute()
        finally:  # after a failure the capturing stream would stay in use
            torch.cuda.set_stream(stream)
        return Recorded(graph.replay, result)


class Graphs:
    """A function of tensors, recorded for each shape that it is called with.

    Not under autograd; owned by one thread. The least recently used graphs are evicted first.
    """

    def __init__(self, function: Function, recorder: Callable[[], Record]) -> None:
        self._function, self._recorder = function, recorder
        self._record = recorder()
        self._graphs: Cache[Hashable, tuple[Arguments, Recorded]] = Cache(MAX_GRAPHS)
        self._too_large: set[Any] = set()
        """Shapes whose graphs don't fit in memory."""
        self._usable = True

    def __len__(self) -> int:
        return len(self._graphs)

    def __call__(self, *arguments: Tensor | None) -> Tensor:
        """The function's result."""
        shapes = tuple(None if each is None else (each.shape, each.dtype) for each in arguments)
        if not self._usable or shapes in self._too_large:
            return self._function(*arguments)
        graph = self._graphs.get(shapes)
        if graph is None:
            return self._first(shapes, arguments)
        static, recorded = graph
        _fill(static, arguments)
        recorded.replay()
        return recorded.result.clone()

    def clear(self) -> None:
        """Free every graph and its memory."""
        self._graphs.clear()
        self._too_large.clear()
        self._record = self._recorder()

    def _first(self, shapes: Any, arguments: Arguments) -> Tensor:
        """Compute without a graph, and record one for the next time."""
        static = tuple(None if each is None else each.clone() for each in arguments)
        expected = [self._function(*static) for _ in range(WARM_UPS)][-1]
        if not bool(expected.isfinite().all()):  # no graph could be checked against it
            return expected
        try:
            recorded = self._record(lambda: self._function(*static))
            recorded.result.zero_()  # recording may have left a result here already
            recorded.replay()
        except torch.OutOfMemoryError:
            self.clear()
            self._too_large.add(shapes)
            return expected
        except RuntimeError as error:
            self._disable(str(error))
            return expected
        difference = torch.linalg.vector_norm(recorded.result - expected)
        error = float(difference / torch.linalg.vector_norm(expected).clamp(min=1e-12))
        if not error <= MAX_ERROR:
            self._disable(f"results differ (by {error:.2g})")
            return expected
        self._graphs.put(shapes, (static, recorded))
        return expected

    def _disable(self, reason: str) -> None:
        log.warning("no CUDA graphs, evaluations are slower: %s", reason.splitlines()[0])
        self._usable = False
        self._graphs.clear()


class Pace:
    """Keeps the host at most `IN_FLIGHT` evaluations ahead of the GPU."""

    def __init__(self, event: Callable[[], Any] = torch.cuda.Event) -> None:
        self._event = event
        self._events: deque[Any] = deque()

    def issued(self) -> None:
        """Note that an evaluation was issued, and wait until few enough are in flight."""
        event = self._event()
        event.record()
        self._events.append(event)
        if len(self._events) > IN_FLIGHT:
            self._events.popleft().synchronize()


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy from the CPU that blocks nothing, by way of pinned memory."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _fill(static: Arguments, arguments: Arguments) -> None:
    for target, argument in zip(static, arguments, strict=True):
        if target is not None and argument is not None:
            target.copy_(argument)
