"""Stable Audio's published configurations with random weights.

They compute what the real models do, which have a licence of their own and are not part of
Eutectic. Only the text encoder differs: it looks up words instead of running T5-base. It runs once
per prompt, and is in none of the figures.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from eutectic.engine.embedded import create_model
from eutectic.engine.library import quiet
from eutectic.engine.model import Model
from eutectic.experiments.speed import Published

RATE_HZ = 44_100
DEVIATION = 0.02
"""Standard deviation of weights that a new network has at zero; its output would always be 0."""


_OOBLECK: dict[str, Any] = {
    "channels": 128, "c_mults": [1, 2, 4, 8, 16], "strides": [2, 4, 4, 8, 8], "use_snake": True,
}  # fmt: skip

_AUTOENCODER: dict[str, Any] = {
    "type": "autoencoder",
    "iterate_batch": True,
    "config": {
        "encoder": {"type": "oobleck", "config": {"in_channels": 2, "latent_dim": 128, **_OOBLECK}},
        "decoder": {
            "type": "oobleck",
            "config": {"out_channels": 2, "latent_dim": 64, "final_tanh": False, **_OOBLECK},
        },
        "bottleneck": {"type": "vae"},
        "latent_dim": 64,
        "downsampling_ratio": 2048,
        "io_channels": 2,
    },
}


_SAME: dict[str, Any] = {
    "channels": 128, "c_mults": [6], "strides": [16], "transformer_depths": [6], "dim_heads": 64,
    "latent_dim": 256, "chunk_size": 32, "chunk_midpoint_shift": True, "dyt": True,
    "differential": True, "variable_stride": True, "mapping_style": "none", "use_flash": True,
}  # fmt: skip

_SAME_S: dict[str, Any] = {
    "type": "autoencoder",
    "config": {
        "encoder": {
            "type": "taae_v2",
            "config": _SAME | {"in_channels": 512, "mask_noise": 0.0, "conv_mapping": False},
        },
        "decoder": {
            "type": "taae_v2",
            "config": _SAME
            | {"out_channels": 512, "mask_noise": 0.01, "conv_mapping": True}
            | {"sinusoidal_blocks": [0], "freeze_backbone": False},
        },
        "bottleneck": {
            "type": "softnorm",
            "config": {
                "auto_scale": True, "dim": 256, "freeze": True, "noise_augment_dim": 0,
                "noise_regularize": True,
            },
        },
        "pretransform": {"type": "patched", "config": {"channels": 2, "patch_size": 256}},
        "latent_dim": 256,
        "downsampling_ratio": 4096,
        "io_channels": 2,
    },
}  # fmt: skip


def _words(count: int) -> dict[str, Any]:
    settings = {"dim": 768, "buckets": 4096, "max_words": count}
    return {"id": "prompt", "type": "eutectic_words", "config": settings}


def _seconds(name: str, longest: int) -> dict[str, Any]:
    return {"id": name, "type": "number", "config": {"min_val": 0, "max_val": longest}}


CONFIGURATIONS: dict[Published, dict[str, Any]] = {
    Published.OPEN_1_0: {
        "model_type": "diffusion_cond",
        "sample_size": 2_097_152,
        "sample_rate": RATE_HZ,
        "audio_channels": 2,
        "model": {
            "pretransform": _AUTOENCODER,
            "conditioning": {
                "configs": [
                    _words(128), _seconds("seconds_start", 512), _seconds("seconds_total", 512),
                ],
                "cond_dim": 768,
            },
            "diffusion": {
                "cross_attention_cond_ids": ["prompt", "seconds_start", "seconds_total"],
                "global_cond_ids": ["seconds_start", "seconds_total"],
                "type": "dit",
                "diffusion_objective": "v",
                "config": {
                    "io_channels": 64, "embed_dim": 1536, "depth": 24, "num_heads": 24,
                    "cond_token_dim": 768, "global_cond_dim": 1536, "project_cond_tokens": False,
                    "transformer_type": "continuous_transformer",
                },
            },
            "io_channels": 64,
        },
    },
    Published.SMALL: {
        "model_type": "diffusion_cond",
        "sample_size": 524_288,
        "sample_rate": RATE_HZ,
        "audio_channels": 2,
        "model": {
            "pretransform": _AUTOENCODER,
            "conditioning": {
                "configs": [_words(64), _seconds("seconds_total", 256)],
                "cond_dim": 768,
            },
            "diffusion": {
                "cross_attention_cond_ids": ["prompt", "seconds_total"],
                "global_cond_ids": ["seconds_total"],
                "type": "dit",
                "diffusion_objective": "rf_denoiser",
                "config": {
                    "io_channels": 64, "embed_dim": 1024, "depth": 16, "num_heads": 8,
                    "cond_token_dim": 768, "global_cond_dim": 768,
                    "transformer_type": "continuous_transformer", "attn_kwargs": {"qk_norm": "ln"},
                },
            },
            "io_channels": 64,
        },
    },
    Published.SA3_SMALL_SFX: {
        "model_type": "diffusion_cond_inpaint",
        "sample_size": 5_292_032,
        "sample_rate": RATE_HZ,
        "audio_channels": 2,
        "model": {
            "pretransform": _SAME_S,
            "conditioning": {
                "configs": [_words(256), _seconds("seconds_total", 384)],
                "cond_dim": 768,
            },
            "diffusion": {
                "cross_attention_cond_ids": ["prompt", "seconds_total"],
                "global_cond_ids": ["seconds_total"],
                "local_add_cond_ids": ["inpaint_mask", "inpaint_masked_input"],
                "type": "dit",
                "diffusion_objective": "rf_denoiser",
                "config": {
                    "io_channels": 256, "embed_dim": 1024, "depth": 20, "num_heads": 16,
                    "cond_token_dim": 768, "global_cond_dim": 768, "local_add_cond_dim": 257,
                    "global_cond_type": "adaLN", "timestep_features_type": "expo",
                    "norm_type": "rms_norm", "norm_kwargs": {"force_fp32": True},
                    "attn_kwargs": {"qk_norm": "rms", "differential": False},
                    "ff_kwargs": {"mult": 4.0}, "num_memory_tokens": 64,
                },
            },
            "io_channels": 256,
        },
    },
}  # fmt: skip


def build(published: Published, device: torch.device) -> Model:
    """Build the model from stable-audio-tools' modules, with fixed random weights, none zero."""
    config = CONFIGURATIONS[published]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with quiet():
            wrapper = create_model(config)
        with torch.no_grad():
            for weight in wrapper.parameters():
                if not weight.any():
                    nn.init.normal_(weight, std=DEVIATION)
    return Model(f"{published}, random weights", wrapper, config, f"random-{published}", device)
