"""`eutectic setup`: the engine's environment."""

from __future__ import annotations

import json
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

KINDS = {"linux": ("cpu", "cuda"), "darwin": ("cpu", "mps"), "win32": ("cpu", "cuda")}
"""By system."""

KINDS_OF_INDEX = {"linux": ("cuda",), "darwin": ("cpu", "mps"), "win32": ("cpu",)}
"""What torch is built for in the package index; for others it has an index of its own."""

BUILDS = {"cpu": "cpu", "cuda": "cu130"}
"""Their names there."""

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
    elif environment.is_own():
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
    noted = environment.made(folder)
    if not noted:
        raise BadInput(f"{folder}: holds no engine that setup installed")
    _note(folder, noted | {"lock": ""})  # so that none is used that is removed in part
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise BadOutput(f"{folder}: can't be removed ({error.strerror or error})") from None
    console.print(f"removed {folder}")


def _install(folder: Path, kind: str, offline: Path | None) -> None:
    """Make the environment, or go on with it.

    Raises:
        BadInput: it can't be made here, or it failed.
    """
    if kind not in KINDS.get(sys.platform, KINDS["linux"]):
        raise BadSetting(f"--{kind}: this system has none")
    if offline is not None and not offline.is_dir():
        raise BadInput(f"{offline}: is not a folder")
    whole, noted = {"lock": environment.lock_digest(), "for": kind}, environment.made(folder)
    if noted == whole and _has_torch(folder):
        console.print(f"the engine is installed, for {kind}, in {folder}")
        return
    make_folder(folder, parents=True)
    if any(folder.iterdir()) and not noted:
        raise BadOutput(f"{folder}: is not empty, and holds no engine that setup installed")
    _check_room(folder, kind)
    if not noted:
        _note(folder, {"lock": "", "for": kind})
    if not noted or not _starts(folder):
        _uv(["venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)])
    with tempfile.TemporaryDirectory() as temporary:
        steps = _steps(folder / PYTHON, kind, offline, Path(temporary))
        for step in steps:  # until all are known to be possible, what is there stays as it is
            _uv([*step, "--dry-run", "--quiet"])
        _note(folder, {"lock": "", "for": kind})
        for step in steps:
            _uv(step)
    if not _has_torch(folder):
        raise BadInput(f"{folder}: torch, as installed for {kind}, can't be imported here")
    _note(folder, whole)
    console.print(f"the engine is installed in {folder}; try: eutectic serve")


def _note(folder: Path, found: dict[str, str]) -> None:
    with atomic_path(folder / MADE) as path:
        path.write_text(json.dumps(found), encoding="utf-8")


def _check_room(folder: Path, kind: str) -> None:
    """Say how much it will be, and check that there is room for what isn't there yet."""
    download, size = GIGABYTES[kind]
    there = sum(each.lstat().st_size for each in folder.rglob("*")) / 1e9
    free = shutil.disk_usage(folder).free / 1e9
    console.print(f"engine for {kind}: up to {download} GB to download, {size} GB on disk")
    if free < size - there:
        raise BadOutput(f"{folder}: only {free:.1f} GB are free")


def _starts(folder: Path, program: str = "") -> bool:
    """Whether an environment's Python runs a program."""
    try:
        done = subprocess.run(
            [str(folder / PYTHON), "-c", program], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def _has_torch(folder: Path) -> bool:
    return _starts(folder, "import torch, torchaudio")


def _steps(
    python: Path, kind: str, offline: Path | None, temporary: Path
) -> Sequence[Sequence[str]]:
    """What uv is asked to do; the package index has one build of torch for each system."""
    source = [] if offline is None else ["--no-index", "--find-links", str(offline)]
    common = ["--python", str(python), "--compile-bytecode", *source]
    sync = ["pip", "sync", "--require-hashes", *common]
    if kind in KINDS_OF_INDEX.get(sys.platform, ()):
        return [[*sync, str(LOCK)]]
    others = temporary / LOCK.name
    others.write_text(without_torch(LOCK.read_text(encoding="utf-8"), kind), encoding="utf-8")
    build, versions = BUILDS[kind], environment.locked()
    torch = [f"{name}=={versions[name]}+{build}" for name in OF_TORCH]
    index = [] if source else ["--torch-backend", build]
    return [[*sync, str(others)], ["pip", "install", "--no-deps", *common, *index, *torch]]


def without_torch(lock: str, kind: str) -> str:
    """A lock without torch's packages, and without CUDA's if it is for another kind."""
    left_out = (*(f"{name}==" for name in OF_TORCH), *(() if kind == "cuda" else OF_CUDA))
    entries = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)
    return "".join(each for each in entries if not each.startswith(left_out))


def _uv(arguments: Sequence[str]) -> None:
    """Run uv, which shows on the terminal what it does."""
    import uv

    if subprocess.run([uv.find_uv_bin(), *arguments], check=False).returncode != 0:
        raise BadInput("the engine isn't installed; eutectic setup goes on where it was")
