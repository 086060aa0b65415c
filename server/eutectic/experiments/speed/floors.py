"""What a computation costs at the very least on a machine: its operations, its bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

SIZE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
"""Of the square matrices whose product is timed: large enough to be at the machine's rate."""

COPIED_BYTES = {"cpu": 1 << 28, "cuda": 1 << 31, "mps": 1 << 29}
"""More than any cache holds."""

TIMES = 5


@dataclass(frozen=True)
class Machine:
    """Rates that were measured: of matrix products in one precision, and of memory."""

    operations_per_second: float
    bytes_per_second: float

    def floor_seconds(self, operations: int, moved_bytes: int) -> float:
        """The least time for so much: the slower of both, as they can go on side by side."""
        return max(operations / self.operations_per_second, moved_bytes / self.bytes_per_second)


def measure(device: torch.device, dtype: torch.dtype) -> Machine:
    """Time a large matrix product and a large copy; the best of some."""
    size = SIZE[device.type]
    left = torch.randn(size, size, device=device, dtype=dtype)
    right = torch.randn(size, size, device=device, dtype=dtype)
    source = torch.ones(COPIED_BYTES[device.type] // 4, device=device)
    target = torch.empty_like(source)
    product = best_seconds(lambda: torch.mm(left, right), device)
    copy = best_seconds(lambda: target.copy_(source), device)
    return Machine(2 * size**3 / product, 2 * COPIED_BYTES[device.type] / copy)


def best_seconds(function: Callable[[], Any], device: torch.device) -> float:
    """The shortest of some runs, after one that doesn't count."""
    function()
    return min(timed(function, device) for _ in range(TIMES))


def timed(function: Callable[[], Any], device: torch.device) -> float:
    """Seconds until it is computed, not only asked for."""
    synchronise(device)
    began = time.perf_counter()
    function()
    synchronise(device)
    return time.perf_counter() - began


def synchronise(device: torch.device) -> None:
    """Wait for what a device still computes."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def operations(function: Callable[[], Any]) -> int:
    """Of its matrix products and convolutions, a multiplication and an addition being two."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()
