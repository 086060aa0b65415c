"""What the network is conditioned on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """Conditioning tensors, one row per item; no prompt is zero tokens."""

    tokens: Tensor | None
    """Cross attention (row, token, width)."""
    prepended: Tensor | None
    """Tokens before the latent's (row, token, width)."""
    global_embedding: Tensor | None
    """(row, width)"""

    @property
    def parts(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        return self.tokens, self.prepended, self.global_embedding

    def unprompted(self) -> Conditioning:
        """stable-audio-tools' null condition: every token zero, the global embedding kept."""
        zero = [None if t is None else torch.zeros_like(t) for t in (self.tokens, self.prepended)]
        return Conditioning(zero[0], zero[1], self.global_embedding)

    @classmethod
    def stack(cls, conditions: Sequence[Conditioning]) -> Conditioning:
        """The rows of several conditions of one model, in their order."""
        columns = zip(*(condition.parts for condition in conditions), strict=True)
        return cls(*(None if None in column else torch.cat(column) for column in columns))
