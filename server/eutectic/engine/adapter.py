"""What learning leaves: new weights for a network, in full or as low-rank differences.

A `Switch` puts them into the network in use by copying into its own tensors, from a kept copy
of the base weights, so that after any number of references the base is back bit for bit, and
nothing is added to a network evaluation.
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
    """Tensors by name, and what they were learned from.

    `full`: the network's own parameter names. `lora`: for each linear layer `<name>.lora_A`
    (rank, in) and `<name>.lora_B` (out, rank), with W = W_base + B·A (alpha equals rank).
    `about` holds at least method, prompt, seconds, steps, and the hash of the base model.
    """

    tensors: dict[str, Tensor]
    about: dict[str, Any]

    @cached_property
    def digest(self) -> str:
        """Hash of every tensor, for cache keys and to notice damage."""
        return checked.digest(self.tensors)

    @property
    def changed(self) -> set[str]:
        """Names of the network's parameters that are others than the base's."""
        if self.about["method"] == "full":
            return set(self.tensors)
        factors = (name for name in self.tensors if name.endswith(DOWN))
        return {f"{name.removesuffix(DOWN)}.weight" for name in factors}

    @property
    def nbytes(self) -> int:
        """Memory of its tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def write(self, name: str, base: Tensor, parameter: Tensor) -> None:
        """Give a parameter this adapter's weights, in one pass over the base's."""
        if self.about["method"] == "full":
            parameter.copy_(self.tensors[name])
            return
        layer = name.removesuffix(".weight")
        down, up = self.tensors[layer + DOWN], self.tensors[layer + UP]
        torch.addmm(base, up.to(base), down.to(base), out=parameter)

    def on(self, device: torch.device) -> Adapter:
        """The same in a device's memory, from where a network takes it at once."""
        if device.type == "cpu":
            return self
        moved = Adapter({name: each.to(device) for name, each in self.tensors.items()}, self.about)
        vars(moved)["digest"] = self.digest  # known, and long to compute from there
        return moved

    def save(self, path: Path) -> None:
        """Write as safetensors, whole or not at all.

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
    """Puts adapters into a network and takes them out; owned by the thread that owns it.

    `written` is told the names of the parameters that were written to.
    """

    def __init__(
        self, network: nn.Module, written: Callable[[Iterable[str]], None] = lambda _: None
    ) -> None:
        self._written = written
        self._parameters = dict(network.named_parameters())
        self._base: dict[str, Tensor] = {}
        self._whole = True  # false while weights are being copied, and after that went wrong
        self._digest: str | None = None

    @torch.no_grad()
    def activate(self, adapter: Adapter | None) -> None:
        """Make the network the base's (None) or an adapter's."""
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
        self._written(self._base.keys())
        self._whole, self._digest = True, digest
