"""The network's attention and convolutions, written to be faster on a CPU.

In bfloat16, gradients of PyTorch's fused attention take 2 to 5 times as long as those of plain
products, and gradients of its depthwise convolution, channels first, 2 to 10 times as long.
"""

import types
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from eutectic.engine.library import ConformerModule

PIECE_FRAMES = 384
"""Over more than about 400 frames the convolution's gradient in bfloat16 is 20 times slower."""


def use_plain_kernels(network: nn.Module) -> None:
    """Make stable-audio-tools' attention and conformer modules compute the same by plain products.

    Attention must have no mask, as in a diffusion transformer.
    """
    modules: list[Any] = list(network.modules())
    for module in modules:
        if hasattr(module, "apply_attn"):
            module.apply_attn = plain_attention
        if isinstance(module, ConformerModule):
            module.forward = types.MethodType(plain_conformer, module)


def plain_attention(
    q: Float[Tensor, "batch head frame dim"],
    k: Float[Tensor, "batch key_head key dim"],
    v: Float[Tensor, "batch key_head key dim"],
    **_: object,
) -> Float[Tensor, "batch head frame dim"]:
    """Attention without a mask; neighbouring heads share key heads."""
    k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
    return torch.softmax(q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2), dim=-1) @ v


def plain_conformer(
    module: Any, x: Float[Tensor, "batch frame channel"]
) -> Float[Tensor, "batch frame channel"]:
    """stable-audio-tools' ConformerModule, channels last, in pieces of `PIECE_FRAMES`."""
    x = functional.linear(module.in_norm(x), module.pointwise_conv.weight[..., 0])
    x = module.glu(x)
    reach, frames = module.depthwise_conv.padding[0], x.shape[1]
    weight = module.depthwise_conv.weight.unsqueeze(2)
    padded = functional.pad(x, (0, 0, reach, reach)).transpose(1, 2).unsqueeze(2)
    pieces = [
        functional.conv2d(
            padded[..., start : start + PIECE_FRAMES + 2 * reach], weight, groups=x.shape[2]
        )
        for start in range(0, frames, PIECE_FRAMES)
    ]
    x = torch.cat(pieces, dim=-1).squeeze(2).transpose(1, 2)
    x = module.swish(module.mid_norm(x))
    return functional.linear(x, module.pointwise_conv_2.weight[..., 0])
