"""The lapped transform of the codec: a modified discrete cosine transform with a sine window.

Time-domain aliasing cancels between neighbouring frames (Princen, Johnson and Bradley 1987), so
analysis followed by synthesis is exact. Frame k owns the samples [hop·k, hop·(k+1)): its aliasing
mirrors lie on those two borders, and its window reaches half a hop beyond each. The outermost
window halves are hard-edged, so L frames represent exactly L·hop samples.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Spectrum:
    """Coefficients of the cosine and of the sine transform of the same blocks."""

    cosine: Float[Tensor, "*row frame bin"]
    sine: Float[Tensor, "*row frame bin"]

    @property
    def power(self) -> Float[Tensor, "*row frame bin"]:
        """Mean power of both: steady for a steady tone, whatever its phase."""
        return (self.cosine**2 + self.sine**2) / 2


class Mdct(nn.Module):
    """Analysis and synthesis of any number of rows; its buffers aren't stored with the weights."""

    cosines: Tensor
    window: Tensor

    def __init__(self, hop: int) -> None:
        super().__init__()
        self.hop = hop
        phase = math.pi * (torch.arange(2 * hop) + 0.5) / (2 * hop)
        self.register_buffer("window", torch.sin(phase), persistent=False)
        self.register_buffer("cosines", _dct4(hop), persistent=False)

    def analyse(self, x: Float[Tensor, "*row sample"]) -> Spectrum:
        """Spectrum of `x`, padded with silence to whole frames."""
        blocks = self._blocks(x)
        return Spectrum(_fold(blocks) @ self.cosines, _fold(blocks.flip(-1)) @ self.cosines)

    def analyse_sine(self, x: Float[Tensor, "*row sample"]) -> Float[Tensor, "*row frame bin"]:
        """The sine half of `analyse`: of a synthesised sound, the cosine half is known."""
        return _fold(self._blocks(x).flip(-1)) @ self.cosines

    def _blocks(self, x: Float[Tensor, "*row sample"]) -> Float[Tensor, "*row frame block"]:
        """Windowed, overlapping blocks."""
        hop = self.hop
        frames = -(-x.shape[-1] // hop)
        padded = nn.functional.pad(x, (hop // 2, frames * hop - x.shape[-1] + hop // 2))
        return padded.unfold(-1, 2 * hop, hop) * self._windows(frames)

    def synthesise(
        self, coefficients: Float[Tensor, "*row frame bin"]
    ) -> Float[Tensor, "*row sample"]:
        """The inverse transform: windowed blocks, overlap-added."""
        hop = self.hop
        blocks = _unfold(coefficients @ self.cosines) * self._windows(coefficients.shape[-2])
        halves = nn.functional.pad(blocks[..., :hop], (0, 0, 0, 1))
        halves[..., 1:, :] += blocks[..., hop:]
        return halves.flatten(-2)[..., hop // 2 : -(hop // 2)]

    def _windows(self, frames: int) -> Float[Tensor, "frame block"]:
        """Sine windows; the first one's left and the last one's right half are hard-edged."""
        hop = self.hop
        windows = self.window.repeat(frames, 1)
        windows[0, : hop // 2] = 0
        windows[0, hop // 2 : hop] = 1
        windows[-1, hop : hop + hop // 2] = 1
        windows[-1, hop + hop // 2 :] = 0
        return windows


def _dct4(size: int) -> Float[Tensor, "size size"]:
    """Orthonormal type IV cosine transform; its own inverse."""
    index = torch.arange(size, dtype=torch.float64) + 0.5
    return (torch.cos(math.pi / size * torch.outer(index, index)) * math.sqrt(2 / size)).float()


def _fold(blocks: Float[Tensor, "*b block"]) -> Float[Tensor, "*b hop"]:
    """Windowed block (a, b, c, d) to (−c̃ − d, a − b̃), which the type IV transform takes."""
    a, b, c, d = blocks.chunk(4, dim=-1)
    return torch.cat([-c.flip(-1) - d, a - b.flip(-1)], dim=-1)


def _unfold(folded: Float[Tensor, "*b hop"]) -> Float[Tensor, "*b block"]:
    """The transpose of `_fold`: the block with its aliasing."""
    first, second = folded.chunk(2, dim=-1)
    return torch.cat([second, -second.flip(-1), -first.flip(-1), -first], dim=-1)
