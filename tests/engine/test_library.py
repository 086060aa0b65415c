"""stable-audio-tools is imported without what nothing here needs; no stand-in is left behind."""

import importlib.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

NOT_NEEDED = (
    "torch._dynamo", "torch._inductor", "sympy", "triton", "networkx", "torchvision",
    "transformers", "peft", "pytorch_lightning", "matplotlib", "numba", "pandas", "torchsde",
    "scipy.signal", "scipy.stats", "stable_audio_tools.inference.k_diffusion",
)  # fmt: skip
"""Heavy, and not for an engine that is ready; learning and other models import some of them."""

LATER = """
import sys
import eutectic.engine.library as library
from stable_audio_tools.inference import sampling
from stable_audio_tools.models import pretransforms
print([name for name in ("scipy.signal", "torchsde") if name in sys.modules])
print(sampling.K.sampling.sample_heun.__module__, pretransforms.scipy.signal.firwin.__name__)
"""

LIGHTNING = """
import sys
import eutectic.engine.library as library
assert "pytorch_lightning" not in sys.modules
from stable_audio_tools.models import transformer, lora
assert transformer.flex_attention_compiled is None
print(library.DiffusionTransformer.__name__, lora.LoRASafetensorsCheckpoint.__mro__[1].__name__)
"""

READY = f"""
import sys
import torch
from eutectic.engine import process
from eutectic.engine.loading import load
from eutectic.audio import Waveform, loudness_lufs
model = load("embedded", torch.device("cpu"))
print([name for name in {NOT_NEEDED!r} if name in sys.modules])
print(torch.compile(lambda x: x + 1, backend="eager")(torch.ones(2)).tolist())
import torch._dynamo, torch._inductor
print(torch._dynamo.config.suppress_errors in (True, False))
"""

FUSED = """
import sys
{first}
import numpy, torch
from eutectic.audio import Waveform
from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.store import Store
import pathlib, tempfile
engine = Engine(load("embedded", torch.device("cpu")), Store(pathlib.Path(tempfile.mkdtemp())))
noise = numpy.random.default_rng(0).standard_normal((2, 44100)).astype(numpy.float32)
clip = engine.encode(Waveform(0.1 * noise, 44100))
for method in ("full", "lora"):
    adapter = engine.memorise(clip, "noise", LearnSettings(method, steps=2)).adapter
    settings = SamplingSettings(recall=0.5, steps=5)
    (fused,) = engine.fuse(clip, Reference("noise", clip, adapter), [Place(0.5)], settings)
    print(adapter.digest, fused.waveform.digest)
print("torch._dynamo" in sys.modules)
"""


def run(program: str) -> list[str]:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_library_is_imported_without_pytorch_lightning() -> None:
    assert importlib.util.find_spec("pytorch_lightning") is None  # not in requirements.lock
    assert run(LIGHTNING) == ["DiffusionTransformer ModelCheckpoint"]


def test_an_engine_that_is_ready_has_imported_nothing_heavy_and_torch_can_still_compile() -> None:
    assert run(READY) == ["[]", "[2.0, 2.0]", "True"]


def test_what_is_left_out_is_imported_where_it_is_used() -> None:
    used = "stable_audio_tools.inference.k_diffusion.sampling firwin"
    assert run(LATER) == ["[]", used]


def test_what_is_left_out_changes_no_bit() -> None:
    """Fusions and learned references are those of an engine that has imported all of it."""
    lean = run(FUSED.format(first=""))
    whole = run(
        FUSED.format(
            first="import torch._dynamo, torch._inductor.compile_fx, scipy.signal, torchsde"
        )
    )
    assert lean[:-1] == whole[:-1] and len(set(lean[:-1])) == 2
