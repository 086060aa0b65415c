"""Checkpoints in the published models' formats, for the tests of loading and of models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from checkpoints import OPEN_1_0, OPEN_SMALL, write_checkpoint, write_text_encoder


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Hub's client, offline, with a cache that holds t5-base."""
    cache = tmp_path_factory.mktemp("hub")
    write_text_encoder(cache)
    with pytest.MonkeyPatch.context() as patch:
        # Its environment variables are read once, when it is imported.
        patch.setattr(constants, "HF_HUB_CACHE", str(cache))
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        yield cache


@pytest.fixture(scope="module")
def folders(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint in each format, in the files in which it is published."""
    root = tmp_path_factory.mktemp("models")
    return {
        "1.0": write_checkpoint(root / "open-1.0", OPEN_1_0, "model.safetensors"),
        "small": write_checkpoint(root / "open-small", OPEN_SMALL, "model.ckpt"),
    }
