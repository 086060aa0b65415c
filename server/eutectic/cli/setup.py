"""`eutectic setup`: the engine's environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from eutectic import environment
from eutectic.cli.outputs import make_folder
from eutectic.cli.terminal import console
from eutectic.environment import LOCK, MADE, PYTHON
from eutectic.errors import BadInput, BadOutput, BadSetting
from eutectic.files.atomic import atomic_path

GIGABYTES = {"cuda": (2.9, 5.2), "cpu": (0.4, 1.0), "mps": (0.4, 1.0)}
"""To be downloaded, and then on disk."""

INDEX_HAS = {"linux": "cuda", "darwin": "mps"}
"""What torch is built for in the package index; for others it has an index of its own."""

CUDA_BUILD = "cu130"

OF_TORCH = ("torch", "torchaudio")
"""Packages with a build for each kind."""

OF_CUDA = ("cuda-", "nvidia-", "triton")
"""What the names of packages begin with that only CUDA needs."""


def setup(
    cpu: Annotated[bool, typer.Option("--cpu", help="For the processor alone.")] = False,
    cuda: Annotated[bool, typer.Option("--cuda", help="For a GPU of NVIDIA's.")] = False,
    mps: Annotated[bool, typer.Option("--mps", help="For a GPU of Apple's.")] = False,
    offline: Annotated[
        Path | None,
        typer.Option(help="Install from a folder of wheels (default: from the network)."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the engine again.")] = False,
    lock: Annotated[
        bool, typer.Option("--lock", help="Print the file that lists the packages; do no more.")
    ] = False,
) -> None:
    """Install the engine: torch and what else the models need, in an environment of its own.

    By default for the GPU that is there, else for the processor. An installation that was
    interrupted goes on where it was.
    """
    kinds = [kind for kind, chosen in (("cpu", cpu), ("cuda", cuda), ("mps", mps)) if chosen]
    if len(kinds) > 1:
        raise BadSetting("choose one of --cpu, --cuda and --mps")
    folder = environment.folder()
    if lock:
        print(LOCK)
    elif remove:
        _remove(folder)
    elif environment.is_here() and not os.environ.get(environment.VARIABLE):
        console.print("the engine is part of this environment; there is nothing to install")
    else:
        _install(folder, kinds[0] if kinds else _kind_here(), offline)


def _kind_here() -> str:
    """What this machine computes with."""
    if sys.platform == "darwin":
        return "mps"
    has_nvidia = shutil.which("nvidia-smi") or Path("/proc/driver/nvidia/version").exists()
    return "cuda" if has_nvidia else "cpu"


def _remove(folder: Path) -> None:
    if not environment.made(folder):
        raise BadInput(f"{folder}: holds no engine that setup installed")
    shutil.rmtree(folder)
    console.print(f"removed {folder}")


def _install(folder: Path, kind: str, offline: Path | None) -> None:
    """Make the environment, or go on with it.

    Raises:
        BadInput: it can't be made here, or it failed.
    """
    if kind in {"darwin": ("cuda",), "win32": ("mps",), "linux": ("mps",)}.get(sys.platform, ()):
        raise BadSetting(f"--{kind}: this system has none")
    if offline is not None and not offline.is_dir():
        raise BadInput(f"{offline}: is not a folder")
    whole = {"lock": environment.lock_digest(), "for": kind}
    if environment.made(folder) == whole:
        console.print(f"the engine is installed, for {kind}, in {folder}")
        return
    make_folder(folder, parents=True)
    if any(folder.iterdir()) and not environment.made(folder):
        raise BadOutput(f"{folder}: is not empty, and holds no engine that setup installed")
    _check_room(folder, kind)
    _note(folder, {"lock": "", "for": kind})
    _uv(["venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)])
    source = [] if offline is None else ["--no-index", "--find-links", str(offline)]
    _install_packages(folder / PYTHON, kind, source)
    _note(folder, whole)
    console.print(f"the engine is installed in {folder}; try: eutectic serve")


def _note(folder: Path, found: dict[str, str]) -> None:
    with atomic_path(folder / MADE) as path:
        path.write_text(json.dumps(found), encoding="utf-8")


def _check_room(folder: Path, kind: str) -> None:
    """Say how much it will be, and check that there is room for it."""
    download, size = GIGABYTES[kind]
    free = shutil.disk_usage(folder).free / 1e9
    console.print(f"engine for {kind}: up to {download} GB to download, {size} GB on disk")
    if free < size:
        raise BadOutput(f"{folder}: only {free:.1f} GB are free")


def _install_packages(python: Path, kind: str, source: Sequence[str]) -> None:
    """Install the lock's packages; the package index has one build of torch for each system."""
    common = ["--python", str(python), "--compile-bytecode", *source]
    sync = ["pip", "sync", "--require-hashes", *common]
    if kind == INDEX_HAS.get(sys.platform, "cpu") or kind == "mps":
        _uv([*sync, str(LOCK)])
        return
    versions = environment.locked()
    with tempfile.TemporaryDirectory() as temporary:
        others = Path(temporary) / LOCK.name
        others.write_text(without_torch(LOCK.read_text(encoding="utf-8"), kind), encoding="utf-8")
        _uv([*sync, str(others)])
    torch = [f"{name}=={versions[name]}" for name in OF_TORCH]
    build = [] if source else ["--torch-backend", CUDA_BUILD if kind == "cuda" else kind]
    _uv(["pip", "install", "--no-deps", *common, *build, *torch])


def without_torch(lock: str, kind: str) -> str:
    """A lock without torch's packages, and without CUDA's if it is for another kind."""
    left_out = (*(f"{name}==" for name in OF_TORCH), *(() if kind == "cuda" else OF_CUDA))
    entries = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)
    return "".join(each for each in entries if not each.startswith(left_out))


def _uv(arguments: Sequence[str]) -> None:
    """Run uv, which shows on the terminal what it does."""
    import uv

    if subprocess.run([uv.find_uv_bin(), *arguments], check=False).returncode != 0:
        raise BadInput("the engine isn't installed yet; eutectic setup goes on where it was")
