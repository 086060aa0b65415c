"""Small checkpoints in the published models' formats: real keys, random weights, a tiny T5.

The configurations are those of Stable Audio Open 1.0 and of Stable Audio Open Small, with fewer
channels, less width and less depth. In 1.0 two query heads share a key head (`cond_dim` is half
of `embed_dim` and is not projected); Small projects its tokens and normalises queries and keys.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from eutectic.engine.library import create_model_from_config, create_pretransform_from_config

RATE_HZ = 44100
CHANNELS, LATENT_CHANNELS = 4, 8

_OOBLECK = {
    "channels": CHANNELS, "c_mults": [1, 2, 4, 8, 16], "strides": [2, 4, 4, 8, 8],
    "use_snake": True,
}  # fmt: skip
_AUTOENCODER: dict[str, Any] = {
    "type": "autoencoder",
    "iterate_batch": True,
    "config": {
        "encoder": {
            "type": "oobleck",
            "config": {"in_channels": 2, "latent_dim": 2 * LATENT_CHANNELS, **_OOBLECK},
        },
        "decoder": {
            "type": "oobleck",
            "config": {
                "out_channels": 2, "latent_dim": LATENT_CHANNELS, "final_tanh": False, **_OOBLECK,
            },
        },
        "bottleneck": {"type": "vae"},
        "latent_dim": LATENT_CHANNELS,
        "downsampling_ratio": 2048,
        "io_channels": 2,
    },
}  # fmt: skip


def _prompt(max_length: int) -> dict[str, Any]:
    settings = {"t5_model_name": "t5-base", "max_length": max_length}
    return {"id": "prompt", "type": "t5", "config": settings}


def _number(name: str, max_val: int) -> dict[str, Any]:
    return {"id": name, "type": "number", "config": {"min_val": 0, "max_val": max_val}}


OPEN_1_0: dict[str, Any] = {
    "model_type": "diffusion_cond",
    "sample_size": 2097152,
    "sample_rate": RATE_HZ,
    "audio_channels": 2,
    "model": {
        "pretransform": _AUTOENCODER,
        "conditioning": {
            "configs": [_prompt(128), _number("seconds_start", 512), _number("seconds_total", 512)],
            "cond_dim": 64,
        },
        "diffusion": {
            "cross_attention_cond_ids": ["prompt", "seconds_start", "seconds_total"],
            "global_cond_ids": ["seconds_start", "seconds_total"],
            "type": "dit",
            "config": {
                "io_channels": LATENT_CHANNELS, "embed_dim": 128, "depth": 2, "num_heads": 2,
                "cond_token_dim": 64, "global_cond_dim": 128, "project_cond_tokens": False,
                "transformer_type": "continuous_transformer",
            },
        },
        "io_channels": LATENT_CHANNELS,
    },
}  # fmt: skip

OPEN_SMALL: dict[str, Any] = {
    "model_type": "diffusion_cond",
    "sample_size": 524288,
    "sample_rate": RATE_HZ,
    "audio_channels": 2,
    "model": {
        "pretransform": _AUTOENCODER | {"model_half": True, "chunked": True},
        "conditioning": {
            "configs": [_prompt(64), _number("seconds_total", 256)],
            "cond_dim": 768,
        },
        "diffusion": {
            "cross_attention_cond_ids": ["prompt", "seconds_total"],
            "global_cond_ids": ["seconds_total"],
            "diffusion_objective": "rf_denoiser",
            "distribution_shift_options": {"min_length": 256, "max_length": 4096},
            "type": "dit",
            "config": {
                "io_channels": LATENT_CHANNELS, "embed_dim": 128, "depth": 2, "num_heads": 2,
                "cond_token_dim": 768, "global_cond_dim": 768,
                "transformer_type": "continuous_transformer", "attn_kwargs": {"qk_norm": "ln"},
            },
        },
        "io_channels": LATENT_CHANNELS,
    },
}  # fmt: skip


def write_checkpoint(folder: Path, config: dict[str, Any], file_name: str) -> Path:
    """A folder as the Hub serves it: `model_config.json`, and weights as .safetensors or .ckpt."""
    folder.mkdir(parents=True)
    (folder / "model_config.json").write_text(json.dumps(config), encoding="utf-8")
    whole = copy.deepcopy(config)
    whole["model"]["pretransform"]["model_half"] = False
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = create_model_from_config(whole)
        randomise(model)
    write_weights(folder / file_name, model.state_dict())
    return folder


def write_weights(path: Path, weights: dict[str, Tensor]) -> None:
    if path.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)
    else:
        torch.save({"state_dict": weights}, path)


@torch.no_grad()
def randomise(module: nn.Module) -> None:
    """Change every weight: a new transformer outputs zeros, which would hide any difference."""
    for weight in module.parameters():
        weight.add_(0.05 * torch.randn_like(weight))


def oobleck(**options: Any) -> Any:
    """The autoencoder of both formats, as stable-audio-tools' pretransform."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pretransform = create_pretransform_from_config(_AUTOENCODER | options, RATE_HZ)
        randomise(pretransform)
    return pretransform


def write_text_encoder(cache: Path) -> None:
    """A T5 of t5-base's width, with a tokenizer of letters, in the Hub client's cache."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    commit = "0" * 40
    repository = cache / "models--t5-base"
    snapshot = repository / "snapshots" / commit
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    letters = [("▁", -2.0), *((chr(code), -3.0) for code in range(33, 127))]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        "$A </s>", special_tokens=[("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(snapshot)
    shape = T5Config(
        vocab_size=len(vocabulary), d_model=768, d_kv=64, d_ff=64, num_layers=1, num_heads=2
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        T5EncoderModel(shape).save_pretrained(snapshot)
