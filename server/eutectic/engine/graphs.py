"""Network evaluations on a GPU: recorded as graphs, and no further ahead than can be called back.

With a CUDA graph an evaluation is one launch instead of a thousand.

A graph computes on the tensors it was recorded with, so it needs arguments copied in, its result
copied out, and weights that change in place; and it is of one shape. What can't be recorded, or
doesn't give what was recorded, is computed as before.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from eutectic.cache import Cache

log = logging.getLogger("eutectic.engine")

MAX_GRAPHS = 64
"""Graphs kept: a few lengths, each with the batches of a fan."""

WARM_UPS = 2
"""Runs before recording, in which kernels are chosen and libraries allocate."""

IN_FLIGHT = 2
"""Evaluations that are issued before the first of them is done: a GPU has no pause to wait for,
and what is given up ends soon."""

MAX_ERROR = 1e-2
"""Of a graph's first result, relative, over that of the run before it was recorded."""

Arguments = tuple[Tensor | None, ...]
Function = Callable[..., Tensor]


class Recorded(NamedTuple):
    """What `replay` computes from static arguments into a static result."""

    replay: Callable[[], Any]
    result: Tensor


Record = Callable[[Callable[[], Tensor]], Recorded]
"""Records a computation over tensors that never move."""


class CudaRecord:
    """Records on the current CUDA device; all its graphs share one pool of memory.

    Once they are gone the pool is of no more use (torch 2.11), and another recorder is needed.
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, compute: Callable[[], Tensor]) -> Recorded:
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph, pool=self._pool):
                result = compute()
        finally:  # what fails within leaves its own stream in use
            torch.cuda.set_stream(stream)
        return Recorded(graph.replay, result)


class Graphs:
    """A function of tensors, recorded for each shape that it is called with.

    Not under autograd; owned by one thread. The least recently used graphs go first.
    """

    def __init__(self, function: Function, recorder: Callable[[], Record]) -> None:
        self._function, self._recorder = function, recorder
        self._record = recorder()
        self._graphs: Cache[Hashable, tuple[Arguments, Recorded]] = Cache(MAX_GRAPHS)
        self._too_large: set[Any] = set()
        """Shapes for whose graph there was no memory."""
        self._usable = True

    def __len__(self) -> int:
        return len(self._graphs)

    def __call__(self, *arguments: Tensor | None) -> Tensor:
        """What the function gives."""
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
        """Let every graph go, and the memory that it holds."""
        self._graphs.clear()
        self._too_large.clear()
        self._record = self._recorder()

    def _first(self, shapes: Any, arguments: Arguments) -> Tensor:
        """Compute as ever, and record it for the next time."""
        static = tuple(None if each is None else each.clone() for each in arguments)
        expected = [self._function(*static) for _ in range(WARM_UPS)][-1]
        if not bool(expected.isfinite().all()):  # nothing to compare a graph with
            return expected
        try:
            recorded = self._record(lambda: self._function(*static))
            recorded.result.zero_()  # what is there was left by recording, if by anything
            recorded.replay()
        except torch.OutOfMemoryError:
            self.clear()
            self._too_large.add(shapes)
            return expected
        except RuntimeError as error:
            self._give_up(str(error))
            return expected
        difference = torch.linalg.vector_norm(recorded.result - expected)
        error = float(difference / torch.linalg.vector_norm(expected).clamp(min=1e-12))
        if not error <= MAX_ERROR:
            self._give_up(f"it computes something else (by {error:.2g})")
            return expected
        self._graphs.put(shapes, (static, recorded))
        return expected

    def _give_up(self, why: str) -> None:
        log.warning("no CUDA graphs, evaluations are slower: %s", why.splitlines()[0])
        self._usable = False
        self._graphs.clear()


class Pace:
    """Keeps the host `IN_FLIGHT` evaluations ahead of a GPU."""

    def __init__(self, event: Callable[[], Any] = torch.cuda.Event) -> None:
        self._event = event
        self._events: deque[Any] = deque()

    def issued(self) -> None:
        """An evaluation was: wait until few enough are left."""
        event = self._event()
        event.record()
        self._events.append(event)
        if len(self._events) > IN_FLIGHT:
            self._events.popleft().synchronize()


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy from the CPU for which nothing waits, as it would from memory that isn't pinned."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _fill(static: Arguments, arguments: Arguments) -> None:
    for kept, given in zip(static, arguments, strict=True):
        if kept is not None and given is not None:
            kept.copy_(given)
