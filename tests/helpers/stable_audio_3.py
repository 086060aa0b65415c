"""Small checkpoints in Stable Audio 3's format: real keys, random weights, a tiny T5Gemma.

The structure is that of the published configurations, with less width and depth.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch

from checkpoints import RATE_HZ, randomise, write_weights
from eutectic.engine.library import create_model_from_config, create_pretransform_from_config

LATENT_CHANNELS, RATIO = 16, 4096
TEXT_ENCODER = "t5gemma-b-b-ul2"

_SAME: dict[str, Any] = {
    "c_mults": [1], "strides": [16], "dim_heads": 64, "latent_dim": LATENT_CHANNELS,
    "differential": True, "variable_stride": True, "use_flash": True,
}  # fmt: skip
_SMALL = {
    "channels": 64, "transformer_depths": [2], "chunk_size": 32, "chunk_midpoint_shift": True,
    "dyt": True,
}  # fmt: skip
_LARGE = {
    "channels": 64, "transformer_depths": [3], "sliding_window": [1, 1], "conformer": False,
    "layer_scale": False,
}  # fmt: skip


def _pretransform(same: dict[str, Any], encoder: dict[str, Any], decoder: dict[str, Any]) -> Any:
    return {
        "type": "autoencoder",
        "chunked": True,
        "config": {
            "encoder": {
                "type": "taae_v2", "config": _SAME | same | {"in_channels": 512} | encoder,
            },
            "decoder": {
                "type": "taae_v2", "config": _SAME | same | {"out_channels": 512} | decoder,
            },
            "bottleneck": {
                "type": "softnorm",
                "config": {
                    "auto_scale": True, "dim": LATENT_CHANNELS, "freeze": True,
                    "noise_augment_dim": 0, "noise_regularize": True,
                },
            },
            "pretransform": {"type": "patched", "config": {"channels": 2, "patch_size": 256}},
            "latent_dim": LATENT_CHANNELS,
            "downsampling_ratio": RATIO,
            "io_channels": 2,
        },
    }  # fmt: skip


SAME_S = _pretransform(
    _SMALL,
    {"mask_noise": 0.0, "conv_mapping": False},
    {"mask_noise": 0.01, "conv_mapping": True, "sinusoidal_blocks": [0], "freeze_backbone": False},
)
SAME_L = _pretransform(
    _LARGE,
    {"mask_noise": 0.001, "checkpointing": True},
    {"mask_noise": 0.1, "sinusoidal_blocks": [2]},
)


def _model(pretransform: dict[str, Any], objective: str, frames: int, **network: Any) -> Any:
    return {
        "model_type": "diffusion_cond_inpaint",
        "sample_size": frames * RATIO,
        "sample_rate": RATE_HZ,
        "audio_channels": 2,
        "model": {
            "pretransform": pretransform,
            "conditioning": {
                "configs": [
                    {
                        "id": "prompt", "type": "t5gemma",
                        "config": {
                            "repo_id": "stabilityai/stable-audio-3-small-sfx",
                            "subfolder": TEXT_ENCODER, "max_length": 16,
                            "padding_mode": "learned",
                        },
                    },
                    {
                        "id": "seconds_total", "type": "number",
                        "config": {"min_val": 0, "max_val": 384, "fourier_features_type": "expo"},
                    },
                ],
                "cond_dim": 768,
            },
            "diffusion": {
                "type": "dit",
                "diffusion_objective": objective,
                "cross_attention_cond_ids": ["prompt", "seconds_total"],
                "global_cond_ids": ["seconds_total"],
                "local_add_cond_ids": ["inpaint_mask", "inpaint_masked_input"],
                "distribution_shift_options": {
                    "type": "full", "min_length": 256, "max_length": 4096,
                },
                "mask_padding_attention": True,
                "use_effective_length_for_schedule": True,
                "config": {
                    "io_channels": LATENT_CHANNELS, "embed_dim": 64, "depth": 2, "num_heads": 1,
                    "cond_token_dim": 768, "global_cond_dim": 768,
                    "local_add_cond_dim": LATENT_CHANNELS + 1, "global_cond_type": "adaLN",
                    "timestep_features_type": "expo", "norm_type": "rms_norm",
                    "norm_kwargs": {"force_fp32": True}, "ff_kwargs": {"mult": 4.0},
                    "attn_kwargs": {"qk_norm": "rms", "differential": False},
                    "num_memory_tokens": 8, **network,
                },
            },
            "io_channels": LATENT_CHANNELS,
        },
    }  # fmt: skip


SMALL = _model(SAME_S, "rf_denoiser", 322, timestep_features_logsnr=False)
SMALL_BASE = _model(SAME_S, "rectified_flow", 324, timestep_features_logsnr=False)
MEDIUM = _model(
    SAME_L, "rf_denoiser", 640, embed_dim=128, num_heads=2,
    attn_kwargs={"qk_norm": "rms", "differential": True},
)  # fmt: skip


def build(config: dict[str, Any], text_encoder: Path, seed: int = 0) -> Any:
    """stable-audio-tools' own model of a configuration, with random weights.

    Models of different seeds differ in their networks alone.
    """
    config = copy.deepcopy(config)
    prompt = config["model"]["conditioning"]["configs"][0]["config"]
    del prompt["repo_id"]
    prompt["model_path"] = str(text_encoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = create_model_from_config(config)
        for part in (model.pretransform, model.conditioner):
            randomise(part)
        torch.manual_seed(seed)
        randomise(model.model)
    return model.eval().requires_grad_(False)


def write_checkpoint(folder: Path, config: dict[str, Any], seed: int = 0) -> Path:
    """A folder as the Hub serves it, with the text encoder inside."""
    folder.mkdir(parents=True)
    (folder / "model_config.json").write_text(json.dumps(config), encoding="utf-8")
    write_text_encoder(folder / TEXT_ENCODER)
    model = build(config, folder, seed)
    write_weights(folder / "model.safetensors", model.state_dict())
    return folder


def same(config: dict[str, Any]) -> Any:
    """A SAME codec as stable-audio-tools' pretransform."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pretransform = create_pretransform_from_config(config | {"chunked": False}, RATE_HZ)
        randomise(pretransform)
    return pretransform


def write_text_encoder(folder: Path, width: int = 768) -> None:
    """A T5Gemma encoder of the published one's width, with a tokenizer of a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5GemmaConfig, T5GemmaEncoderModel

    words = ["<pad>", "<eos>", "<bos>", "<unk>", "a", "bell", "hiss", "dog", "barks"]
    tokenizer = Tokenizer(
        models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>",
        unk_token="<unk>",
    ).save_pretrained(folder)  # fmt: skip
    side = {
        "vocab_size": len(words), "hidden_size": width, "intermediate_size": 32,
        "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16,
        "max_position_embeddings": 512, "sliding_window": 64, "pad_token_id": 0,
        "eos_token_id": 1, "bos_token_id": 2,
    }  # fmt: skip
    config = T5GemmaConfig(
        encoder=dict(side), decoder=side | {"is_decoder": True}, vocab_size=len(words),
        is_encoder_decoder=False,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        T5GemmaEncoderModel(config).to(torch.bfloat16).save_pretrained(folder)
