"""stable-audio-tools is imported without what its training needs; no stand-in is left behind."""

import importlib.util
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import eutectic.engine.library as library
assert "pytorch_lightning" not in sys.modules
from stable_audio_tools.models import transformer, lora
assert transformer.flex_attention_compiled is None
print(library.DiffusionTransformer.__name__, lora.LoRASafetensorsCheckpoint.__mro__[1].__name__)
"""


@pytest.mark.process
def test_the_library_is_imported_without_pytorch_lightning() -> None:
    assert importlib.util.find_spec("pytorch_lightning") is None  # not in requirements.lock
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("DiffusionTransformer ModelCheckpoint\n", "")
