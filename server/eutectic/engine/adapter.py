"""The result of learning: new weights for a network, in full or as low-rank differences.

A `Switch` copies them into the network's own tensors and keeps a copy of the base weights. So the
base comes back bit for bit after any number of references, and an evaluation costs nothing extra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eutectic.engine import checked

FORMAT = 2
DOWN, UP = ".lora_A", ".lora_B"


@dataclass(frozen=True)
class Adapter:
    """Tensors by name, and how they were learned.

    `full`: the network's own parameter names. `lora`: for each linear layer `<name>.lora_A`
    (rank, in) and `<name>.lora_B` (out, rank), with W = W_base + B·A (alpha equals rank).
    `about` holds at least method, prompt, seconds, steps, and the base model's digest.
    """

    tensors: dict[str, Tensor]
    about: dict[str, Any]

    @cached_property
    def digest(self) -> str:
        """Hash of every tensor, for cache keys and to notice damage."""
        return checked.digest(self.tensors)

    @property
    def changed(self) -> set[str]:
        """Names of the parameters that differ from the base's."""
        if self.about["method"] == "full":
            return set(self.tensors)
        factors = (name for name in self.tensors if name.endswith(DOWN))
        return {f"{name.removesuffix(DOWN)}.weight" for name in factors}

    @property
    def nbytes(self) -> int:
        """Memory of its tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def write(self, name: str, base: Tensor, parameter: Tensor) -> None:
        """Write this adapter's weights into a parameter, in one pass over the base's."""
        if self.about["method"] == "full":
            parameter.copy_(self.tensors[name])
            return
        layer = name.removesuffix(".weight")
        down, up = self.tensors[layer + DOWN], self.tensors[layer + UP]
        torch.addmm(base, up.to(base), down.to(base), out=parameter)

    def on(self, device: torch.device) -> Adapter:
        """The same in a device's memory, so that switching to it is fast."""
        if device.type == "cpu":
            return self
        moved = Adapter({name: each.to(device) for name, each in self.tensors.items()}, self.about)
        vars(moved)["digest"] = self.digest  # slow to compute from the device
        return moved

    def save(self, path: Path) -> None:
        """Write a safetensors file, whole or not at all.

        Raises:
            BadOutput: the path can't be written.
        """
        checked.save(path, self.tensors, {"format": FORMAT, "digest": self.digest} | self.about)

    @classmethod
    def read(cls, path: Path) -> Adapter:
        """Read a saved adapter.

        Raises:
            ValueError: damaged, or of another format.
        """
        tensors, about = checked.read(path)
        about_format, digest = about.pop("format", None), about.pop("digest", None)
        adapter = cls(tensors, about)
        if about_format != FORMAT or digest != adapter.digest:
            raise ValueError(f"{path}: damaged, or of another version")
        return adapter


class Switch:
    """Puts adapters' weights into a network; owned by the thread that owns the network.

    `on_change` is called with the names of the parameters that were written.
    """

    def __init__(
        self, network: nn.Module, on_change: Callable[[Iterable[str]], None] = lambda _: None
    ) -> None:
        self._on_change = on_change
        self._parameters = dict(network.named_parameters())
        self._base: dict[str, Tensor] = {}
        self._whole = True  # False while weights are being copied, and after copying failed
        self._digest: str | None = None

    @property
    def active(self) -> str | None:
        """The digest of the adapter whose weights the network has."""
        return self._digest

    @torch.no_grad()
    def activate(self, adapter: Adapter | None) -> None:
        """Give the network an adapter's weights, or the base's (None); a no-op if it has them."""
        digest = None if adapter is None else adapter.digest
        if digest == self._digest and self._whole:
            return
        self._whole = False
        changed: set[str] = set() if adapter is None else adapter.changed
        for name in changed - self._base.keys():
            self._base[name] = self._parameters[name].clone()
        for name, weight in self._base.items():
            if adapter is not None and name in changed:
                adapter.write(name, weight, self._parameters[name])
            else:
                self._parameters[name].copy_(weight)
        self._on_change(self._base.keys())
        self._whole, self._digest = True, digest
