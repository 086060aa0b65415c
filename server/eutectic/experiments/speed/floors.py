"""The least time a computation can take on a machine, by its operations and bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

SIZE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
"""Size of the square matrices whose product is timed; large enough to reach the peak rate."""

COPIED_BYTES = {"cpu": 1 << 28, "cuda": 1 << 31, "mps": 1 << 29}
"""Bytes of the copy that is timed; more than any cache holds."""

TIMES = 5


@dataclass(frozen=True)
class Machine:
    """Measured rates of matrix products, in one precision, and of memory."""

    operations_per_second: float
    bytes_per_second: float

    def floor_seconds(self, operations: int, moved_bytes: int) -> float:
        """The least time for this work: the slower of both, as they can overlap."""
        return max(operations / self.operations_per_second, moved_bytes / self.bytes_per_second)


def measure(device: torch.device, dtype: torch.dtype) -> Machine:
    """Time a large matrix product and a large copy; the best of TIMES runs."""
    size = SIZE[device.type]
    left = torch.randn(size, size, device=device, dtype=dtype)
    right = torch.randn(size, size, device=device, dtype=dtype)
    source = torch.ones(COPIED_BYTES[device.type] // 4, device=device)
    target = torch.empty_like(source)
    product = best_seconds(lambda: torch.mm(left, right), device)
    copy = best_seconds(lambda: target.copy_(source), device)
    return Machine(2 * size**3 / product, 2 * COPIED_BYTES[device.type] / copy)


def best_seconds(function: Callable[[], Any], device: torch.device) -> float:
    """The shortest of TIMES runs, after one that doesn't count."""
    function()
    return min(timed(function, device) for _ in range(TIMES))


def timed(function: Callable[[], Any], device: torch.device) -> float:
    """Seconds until the result is computed, not only queued."""
    synchronise(device)
    began = time.perf_counter()
    function()
    synchronise(device)
    return time.perf_counter() - began


def synchronise(device: torch.device) -> None:
    """Wait until a device has finished its queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def operations(function: Callable[[], Any]) -> int:
    """Floating-point operations of a function's matrix products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()
