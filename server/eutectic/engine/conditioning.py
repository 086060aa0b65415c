"""What the network is conditioned on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
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
        return self._unprompted

    @cached_property
    def _unprompted(self) -> Conditioning:
        zero = [None if t is None else torch.zeros_like(t) for t in (self.tokens, self.prepended)]
        return Conditioning(zero[0], zero[1], self.global_embedding)

    def with_tokens(self, tokens: Tensor) -> Conditioning:
        """The same with other tokens."""
        return replace(self, tokens=tokens)

    def spread(self, rows: int) -> Conditioning:
        """As many rows, each of its own repeated equally often in turn."""

        def spread(part: Tensor | None) -> Tensor | None:
            if part is None or len(part) == rows:
                return part
            if len(part) == 1:
                return part.expand(rows, *part.shape[1:])
            return part.repeat_interleave(rows // len(part), dim=0)

        return Conditioning(*map(spread, self.parts))

    @classmethod
    def stack(cls, conditions: Sequence[Conditioning]) -> Conditioning:
        """The rows of several conditions of one model, in their order."""
        columns = zip(*(condition.parts for condition in conditions), strict=True)
        return cls(*(None if None in column else torch.cat(column) for column in columns))
