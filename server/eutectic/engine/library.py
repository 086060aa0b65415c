"""stable-audio-tools, imported once, quietly, and without what only its training needs.

Its models import pytorch_lightning for two callbacks of training; as long as the import takes, two
empty classes stand for them. Import it from here, or after this module.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Generator
from types import ModuleType

LIGHTNING = "pytorch_lightning"


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Suppress output: stable-audio-tools prints while it builds, and transformers warns."""
    noise = io.StringIO()
    with (
        contextlib.redirect_stdout(noise),
        contextlib.redirect_stderr(noise),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _without_lightning() -> Generator[None]:
    """Names to derive two callbacks from, where pytorch_lightning isn't imported already."""
    if LIGHTNING in sys.modules:
        yield
        return
    lightning, callbacks = ModuleType(LIGHTNING), ModuleType("callbacks")
    vars(callbacks)["ModelCheckpoint"] = type("ModelCheckpoint", (), {})
    vars(lightning).update(Callback=type("Callback", (), {}), callbacks=callbacks)
    sys.modules[LIGHTNING] = lightning
    try:
        yield
    finally:
        del sys.modules[LIGHTNING]


with quiet(), _without_lightning():
    from stable_audio_tools.models import transformer as _transformer
    from stable_audio_tools.models.autoencoders import (
        AudioAutoencoder,
        SAMEDecoder,
        SAMEEncoder,
        TransformerResamplingBlock,
    )
    from stable_audio_tools.models.conditioners import (
        Conditioner,
        MultiConditioner,
        T5GemmaConditioner,
    )
    from stable_audio_tools.models.diffusion import ConditionedDiffusionModelWrapper
    from stable_audio_tools.models.dit import DiffusionTransformer
    from stable_audio_tools.models.factory import (
        create_model_from_config,
        create_pretransform_from_config,
    )
    from stable_audio_tools.models.pretransforms import AutoencoderPretransform, Pretransform
    from stable_audio_tools.models.transformer import ConformerModule
    from stable_audio_tools.models.utils import load_ckpt_state_dict

# A sliding window would be compiled, 38 s the first time and 4 s for each new length; in chunks the
# same attention takes 10 ms.
_transformer.flex_attention_compiled = None

__all__ = [
    "AudioAutoencoder",
    "AutoencoderPretransform",
    "ConditionedDiffusionModelWrapper",
    "Conditioner",
    "ConformerModule",
    "DiffusionTransformer",
    "MultiConditioner",
    "Pretransform",
    "SAMEDecoder",
    "SAMEEncoder",
    "T5GemmaConditioner",
    "TransformerResamplingBlock",
    "create_model_from_config",
    "create_pretransform_from_config",
    "load_ckpt_state_dict",
    "quiet",
]
