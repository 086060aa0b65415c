"""The result of learning: new weights for a network, in full or as low-rank differences.

A `Switch` copies them into the network's own tensors and keeps a copy of the base weights. So the
base comes back bit for bit after any number of references, and an evaluation costs nothing extra.

Low-rank ones are files that stable-audio-tools takes, too: its names of tensors, its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eutectic.engine import checked
from eutectic.link.stored import FORMAT_OF_KEYS

FORMAT = 3
"""Of its files; those of `FORMAT_OF_KEYS` are read, too."""

LORA = ".parametrizations.weight.0."
"""Between a layer's name and a tensor of its low-rank difference."""
DOWN, UP = LORA + "lora_A", LORA + "lora_B"
MAGNITUDES = {
    "lora": {}, "dora-rows": {"magnitude": 1}, "dora-cols": {"magnitude": 0},
    "bora": {"magnitude_r": 1, "magnitude_c": 0},
}  # fmt: skip
"""Of each low-rank method: what else a layer has, and over which dimension it is the norm."""

SMALLEST_NORM = 1e-12

Active = tuple[str, float]
"""An adapter's digest, and its strength."""


@dataclass(frozen=True)
class Adapter:
    """Tensors by name, and how they were learned.

    Method `full`: the network's own parameter names. `lora`: for each layer `lora_A` (rank, in) and
    `lora_B` (out, rank), after its name and `LORA`: W = W_base + strength·scale·B·A. `dora-rows`
    (arXiv 2402.09353): each row of that is brought to a norm, its `magnitude` (out); `dora-cols`:
    each column (in); `bora`: each row, then each column.
    `about` holds at least the method and the base model's digest; the scale is 1 if it has none.
    """

    tensors: dict[str, Tensor]
    about: dict[str, Any]

    @cached_property
    def digest(self) -> str:
        """Hash of every tensor, for cache keys and to notice damage."""
        return checked.digest(self.tensors)

    @property
    def method(self) -> str:
        return self.about["method"]

    @cached_property
    def changed(self) -> frozenset[str]:
        """Names of the parameters that differ from the base's."""
        if self.method == "full":
            return frozenset(self.tensors)
        factors = (name for name in self.tensors if name.endswith(DOWN))
        return frozenset(f"{name.removesuffix(DOWN)}.weight" for name in factors)

    @property
    def nbytes(self) -> int:
        """Memory of its tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def write(self, name: str, base: Tensor, parameter: Tensor, strength: float = 1.0) -> None:
        """Write this adapter's weights into a parameter, in one pass over the base's.

        `strength` scales the difference: 1 is as learned. Magnitudes are never scaled, as in
        stable-audio-tools: the weights of those methods at a strength just above 0 aren't the
        base's yet, which `Switch` has at 0.
        """
        if self.method == "full":
            if strength == 1:
                parameter.copy_(self.tensors[name])
            else:
                torch.lerp(base, self.tensors[name].to(base), strength, out=parameter)
            return
        layer = name.removesuffix(".weight")
        down, up = self.tensors[layer + DOWN].to(base), self.tensors[layer + UP].to(base)
        alpha = strength * self.about.get("scale", 1.0)
        rows = parameter.view(len(parameter), -1)  # of a convolution, too
        torch.addmm(base.view_as(rows), up, down, alpha=alpha, out=rows)
        for kind, dim in MAGNITUDES[self.method].items():
            magnitude = self.tensors[layer + LORA + kind].to(base).unsqueeze(dim)
            rows.mul_(magnitude / (rows.norm(dim=dim, keepdim=True) + SMALLEST_NORM))

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
        about = {"format": FORMAT, "digest": self.digest} | self.about
        checked.save(path, self.tensors, about, self._for_others())

    def _for_others(self) -> dict[str, str]:
        """What stable-audio-tools reads of a LoRA file's metadata."""
        if self.method == "full":
            return {}
        rank = len(next(self.tensors[name] for name in self.tensors if name.endswith(DOWN)))
        alpha = rank * self.about.get("scale", 1.0)
        config = {"rank": rank, "alpha": alpha, "adapter_type": self.method}
        return {"lora_config": json.dumps(config)}

    @classmethod
    def read(cls, path: Path) -> Adapter:
        """Read a saved adapter.

        Raises:
            ValueError: damaged, or of another format.
        """
        tensors, about = checked.read(path)
        about_format, digest = about.pop("format", None), about.pop("digest", None)
        adapter = cls(tensors, about)
        if about_format not in (FORMAT_OF_KEYS, FORMAT) or digest != adapter.digest:
            raise ValueError(f"{path}: damaged, or of another version")
        return adapter if about_format == FORMAT else _renamed(adapter)


def _renamed(adapter: Adapter) -> Adapter:
    """One of the first format, in which `LORA` was a dot."""
    if adapter.method == "full":
        return adapter
    names = {name: LORA.join(name.rsplit(".", 1)) for name in adapter.tensors}
    return Adapter({names[name]: each for name, each in adapter.tensors.items()}, adapter.about)


class Switch:
    """Puts adapters' weights into modules; owned by the thread that owns these.

    `on_change` is called with the names of the parameters that were written.
    """

    def __init__(
        self, *modules: nn.Module, on_change: Callable[[Iterable[str]], None] = lambda _: None
    ) -> None:
        self._on_change = on_change
        self._parameters = {
            name: weight for module in modules for name, weight in module.named_parameters()
        }
        self._base: dict[str, Tensor] = {}
        self._whole = True  # False while weights are being copied, and after copying failed
        self._active: Active | None = None
        self._changed: frozenset[str] = frozenset()

    @property
    def active(self) -> Active | None:
        """The adapter whose weights the modules have, and at which strength; None: the base's."""
        return self._active

    def base(self, name: str) -> Tensor:
        """A base weight; no copy, so it may change when something is activated."""
        return self._base[name] if name in self._base else self._parameters[name]

    @property
    def shapes(self) -> Mapping[str, torch.Size]:
        """Of all weights, by name."""
        return {name: weight.shape for name, weight in self._parameters.items()}

    @property
    def changed(self) -> frozenset[str]:
        """Names of the weights that aren't the base's at present."""
        return self._changed

    @torch.no_grad()
    def activate(self, adapter: Adapter | None, strength: float = 1.0) -> None:
        """Give the modules an adapter's weights, or the base's (None); a no-op if they have them.

        Those at strength 0 are the base's.
        """
        if strength == 0:
            adapter = None
        active = None if adapter is None else (adapter.digest, strength)
        if active == self._active and self._whole:
            return
        self._whole = False
        changed = frozenset[str]() if adapter is None else adapter.changed
        for name in changed - self._base.keys():
            self._base[name] = self._parameters[name].clone()
        for name, weight in self._base.items():
            if adapter is not None and name in changed:
                adapter.write(name, weight, self._parameters[name], strength)
            else:
                self._parameters[name].copy_(weight)
        self._on_change(self._base.keys())
        self._whole, self._active, self._changed = True, active, changed
