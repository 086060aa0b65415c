"""The network's products in bfloat16; states, sums and normalisation stay in float32."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from eutectic.engine.prompted import twin_of

LAYERS = (nn.Linear, nn.Conv1d)
"""Layers whose weights autocast rounds to bfloat16 again at each evaluation."""


def has_native_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch has no public name for these.
    tests: Any = torch.cpu
    return device.type == "cpu" and (
        tests._is_avx512_bf16_supported() or tests._is_amx_tile_supported()
    )


class Rounded:
    """A twin of a network that keeps the weights of its `LAYERS` in bfloat16.

    All other tensors are the network's own, and so are those of the layer that has the network's
    first parameter: stable-audio-tools' transformer casts its inputs, times included, to that
    one's type. Under autocast both compute the same, bit for bit; the twin needn't read and round
    every float32 weight at each evaluation.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = twin_of(network)
        self._pairs: dict[str, tuple[Tensor, Tensor]] = {}
        first = next(self.network.parameters(), None)
        for layer, module in list(self.network.named_modules()):
            own = [id(weight) for weight in module.parameters(recurse=False)]
            if isinstance(module, LAYERS) and id(first) not in own:
                for name, weight in list(module.named_parameters(recurse=False)):
                    rounded = nn.Parameter(weight.detach().bfloat16(), requires_grad=False)
                    setattr(module, name, rounded)
                    self._pairs[f"{layer}.{name}"] = weight, rounded

    @torch.no_grad()
    def refresh(self, names: Iterable[str]) -> None:
        """Round these weights of the network again, into the tensors in use."""
        for name in names:
            if name in self._pairs:
                weight, rounded = self._pairs[name]
                rounded.copy_(weight)
