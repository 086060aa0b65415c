"""stable-audio-tools, imported once, quietly, and without what nothing here needs.

As long as the import takes:

- two empty classes stand for callbacks of pytorch_lightning, which only training needs;
- the library's samplers lack those of k-diffusion, and two of its codecs SciPy's signal
  processing: none of them is used here, and where one is, it imports them itself;
- torch has no compiler. The library names torch._dynamo in two `try`s, to configure it and to
  compile an attention that no model here uses, and goes on without: a second and a half, 2,000
  modules and 200 MB less. Afterwards both are imported as ever where they are needed.

Import it from here, or after this module.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import warnings
from collections.abc import Generator
from types import ModuleType
from typing import Any

LIGHTNING, COMPILER = "pytorch_lightning", "torch._dynamo"

LATER = ("stable_audio_tools.inference.k_diffusion", "scipy.signal")
"""Modules that the library imports whole, and uses in functions alone."""


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
def _lean() -> Generator[None]:
    """Leave out what isn't needed, unless it is imported already."""
    stand_ins: dict[str, Any] = {LIGHTNING: _lightning(), COMPILER: None}
    stand_ins |= {name: _Later(name) for name in LATER}
    put = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(put)
    try:
        yield
    finally:
        for name in put:
            del sys.modules[name]


class _Later(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks for them
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def _lightning() -> ModuleType:
    """Names to derive two callbacks from."""
    lightning, callbacks = ModuleType(LIGHTNING), ModuleType("callbacks")
    vars(callbacks)["ModelCheckpoint"] = type("ModelCheckpoint", (), {})
    vars(lightning).update(Callback=type("Callback", (), {}), callbacks=callbacks)
    return lightning


with quiet(), _lean():
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
