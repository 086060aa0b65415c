"""Every test runs under two checks: arrays have their annotated shapes; processes are announced."""

import subprocess
import sys

import pytest
import torch
from jaxtyping import TypeCheckError

from eutectic.engine.denoiser import guide


def test_shapes_are_checked() -> None:
    with pytest.raises(TypeCheckError):
        guide(torch.zeros(1, 2, 3), torch.zeros(1, 2, 4), 1.0)


def test_a_test_without_a_mark_starts_no_process() -> None:
    with pytest.raises(pytest.fail.Exception, match="mark it"):
        subprocess.run([sys.executable, "--version"], check=True)
