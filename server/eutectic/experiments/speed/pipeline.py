"""Hugging Face's `StableAudioPipeline` with a model's own weights, to be timed against.

diffusers implements Stable Audio Open 1.0's transformer in modules of its own, and no other shape.
Its number conditioners are untrained ones, which run once per sample.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import reduce
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.engine.model import Model
from eutectic.engine.schedule import Grid

HEAD = 64
"""Channels of an attention head."""

HOP = (2, 4, 4, 8, 8)
PROMPT_TOKENS = 128

RENAMED = {
    "transformer.project_": "proj_", "transformer.layers.": "transformer_blocks.",
    "timestep_features.": "time_proj.", "to_timestep_embed.": "timestep_proj.",
    "to_global_embed.": "global_proj.", "to_cond_embed.": "cross_attention_proj.",
    ".pre_norm.": ".norm1.", ".cross_attend_norm.": ".norm2.", ".ff_norm.": ".norm3.",
    ".gamma": ".weight", ".beta": ".bias", ".self_attn.": ".attn1.", ".cross_attn.": ".attn2.",
    ".to_out.": ".to_out.0.", ".ff.ff.": ".ff.net.",
}  # fmt: skip
"""Parts of parameter names in stable-audio-tools, and in diffusers."""


def is_known(model: Model) -> bool:
    """Whether diffusers is installed and its transformer has this model's shape."""
    if importlib.util.find_spec("diffusers") is None or model.objective != "v":
        return False
    try:
        transformer(model, 16)
    except (AttributeError, KeyError, RuntimeError):  # other parameters or other shapes
        return False
    return True


def transformer(model: Model, frames: int) -> Any:
    """diffusers' transformer with the model's weights, for latents of one length.

    Raises:
        RuntimeError: the model has another shape.
    """
    diffusers: Any = importlib.import_module("diffusers")
    network: Any = model.network.model
    weights = dict(_renamed(network.state_dict()))
    layers = len(network.transformer.layers)
    key_width, token_width = weights["transformer_blocks.0.attn2.to_k.weight"].shape
    with torch.device("meta"):
        made = diffusers.StableAudioDiTModel(
            sample_size=frames, in_channels=model.codec.network_channels, num_layers=layers,
            attention_head_dim=HEAD, num_attention_heads=weights["proj_in.weight"].shape[0] // HEAD,
            num_key_value_attention_heads=key_width // HEAD,
            out_channels=model.codec.network_channels, cross_attention_dim=token_width,
            global_states_input_dim=weights["global_proj.0.weight"].shape[1],
            cross_attention_input_dim=weights["cross_attention_proj.0.weight"].shape[1],
        )  # fmt: skip
    made.load_state_dict(weights, assign=True)
    return made.eval().requires_grad_(False)


def _renamed(weights: dict[str, Tensor]) -> list[tuple[str, Tensor]]:
    pairs: list[tuple[str, Tensor]] = []
    for ours, weight in weights.items():
        if ours.endswith("inv_freq"):  # computed by diffusers
            continue
        name = reduce(lambda text, pair: text.replace(*pair), RENAMED.items(), ours)
        for fused in ("qkv", "kv"):
            if f".to_{fused}." in name:
                parts = zip(fused, weight.chunk(len(fused)), strict=True)
                pairs += [(name.replace(f"to_{fused}", f"to_{each}"), w) for each, w in parts]
                break
        else:
            pairs.append((name, weight[:, 0] if name == "time_proj.weight" else weight))
    return pairs


class Pipeline:
    """diffusers' generation of latents of one length, from random prompt embeddings."""

    def __init__(self, model: Model, frames: int, seconds: float, grid: Grid) -> None:
        diffusers: Any = importlib.import_module("diffusers")
        diffusers.utils.logging.set_verbosity_error()
        made = transformer(model, frames)
        width = made.config["cross_attention_input_dim"]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            numbers = diffusers.StableAudioProjectionModel(width, width, 0, 512)
            codec = diffusers.AutoencoderOobleck(8, list(HOP), decoder_channels=8)
            self.prompt = torch.randn(1, PROMPT_TOKENS, width).to(model.device)
        scheduler = diffusers.CosineDPMSolverMultistepScheduler(grid.s_min, grid.s_max)
        self.pipeline = diffusers.StableAudioPipeline(
            codec, None, numbers.to(model.device), None, made, scheduler
        )
        self.pipeline.set_progress_bar_config(disable=True)
        self.seconds = seconds

    def generate(self, steps: int, guidance: float) -> Float[Tensor, "1 channel frame"]:
        """Generate a sample's latents."""
        return self.pipeline(
            audio_end_in_s=self.seconds, num_inference_steps=steps, guidance_scale=guidance,
            prompt_embeds=self.prompt, output_type="latent",
            generator=torch.Generator().manual_seed(0),
        ).audios  # fmt: skip
