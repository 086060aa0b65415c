"""The image, in CI built if there is a builder; in any case each instruction is carried out."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest
import uv

from dockerfiles import Builder, instructions
from eutectic import environment
from eutectic.cli.setup import OF_CUDA

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
FOUND = instructions(ROOT / "Dockerfile")
UV = uv.find_uv_bin()
LINKED = {"UV_COMPILE_BYTECODE": "0", "UV_LINK_MODE": "symlink"}
IS_ROOT_ON_DEBIAN = (
    sys.platform == "linux" and os.geteuid() == 0 and Path("/etc/debian_version").exists()
)


def builds() -> bool:
    """Whether images are to be built here: in CI, where Docker's daemon answers."""
    docker = shutil.which("docker")
    return bool(os.environ.get("CI") and docker) and (
        subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(
    not builds(), reason="no builder in CI; each instruction is carried out all the same"
)
def test_it_is_built_and_fuses_in_there() -> None:
    build = ["docker", "build", "--quiet", "--target", "compute", str(ROOT)]
    image = subprocess.run(build, capture_output=True, text=True, check=True).stdout.strip()
    clips = "/opt/eutectic/lib/python3*/site-packages/eutectic/presets/clips"
    fuse = f"eutectic fuse {clips}/ambi_glass_rub.flac {clips}/loop_drone_g_97.flac --model toy"
    run = ["docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--entrypoint", "sh", image]
    subprocess.run([*run, "-c", f"{fuse} --duration 1 -o /data/fused.wav"], check=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Generator[Builder]:
    """All stages, with packages linked to where uv keeps them rather than copied and compiled."""
    if not IS_ROOT_ON_DEBIAN:
        pytest.skip("needs root on Debian, as a builder would")
    cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)
    caches = {"/var/cache/uv": Path(cache.stdout.strip())}
    arguments = {"TORCH": "cuda", **LINKED}
    with Builder(ROOT, tmp_path_factory.mktemp("image"), arguments, caches) as builder:
        builder.build(FOUND)
        yield builder


def run(built: Builder, stage: str, *words: str) -> str:
    done = subprocess.run(built.command(stage, *words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def versions(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def test_its_packages_are_those_of_the_lock(built: Builder) -> None:
    found = versions(run(built, "compute", "/opt/eutectic/bin/uv", "pip", "freeze", "--no-cache",
                         "--python", "/opt/eutectic"))  # fmt: skip
    locked = versions((ROOT / "docs" / "containers" / "image.lock").read_text(encoding="utf-8"))
    assert found <= locked
    names = {name for name, _ in found}
    assert {"torch", "nvidia-cublas", "s3fs", "pyarrow", "ray", "py-spy", "uv"} <= names


def stub(folder: Path, name: str, version: str) -> None:
    """An empty package."""
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"
        )
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        wheel.writestr(f"{about}/RECORD", "")


def test_another_build_of_torch_takes_its_place_and_brings_nothing_for_cuda(tmp_path: Path) -> None:
    for name in ("torch", "torchaudio"):
        version = environment.locked()[name]
        stub(tmp_path, name, f"{version}+cpu")
    (command,) = (each.rest for each in FOUND if "UV_TORCH_BACKEND" in each.text)
    for path, here in {
        'UV_TORCH_BACKEND="$TORCH"': f"UV_FIND_LINKS={tmp_path}", "/uv/bin/uv": UV,
        "/opt/eutectic": str(tmp_path / "made"), "/constraints.lock": str(tmp_path / "lock"),
        " image.lock": " docs/containers/image.lock", "cd /build": f"cd {ROOT}",
        "/usr/bin/python3": sys.executable,
    }.items():  # fmt: skip
        assert path in command
        command = command.replace(path, here)
    variables = os.environ | {"TORCH": "cpu", "EXTRAS": "cloud parquet", **LINKED}
    subprocess.run(["sh", "-c", command], env=variables, check=True)
    found = [each.name for each in (tmp_path / "made").glob("lib/*/site-packages/*.dist-info")]
    assert f"torch-{environment.locked()['torch']}+cpu.dist-info" in found
    assert not [name for name in found if name.startswith(OF_CUDA)]
    assert len(found) > 80


def test_it_is_run_by_somebody_who_owns_nothing_in_it(built: Builder) -> None:
    assert run(built, "stage", "id", "-un") == "eutectic"
    owners = run(built, "stage", "stat", "-c", "%U %a", "/opt/eutectic", "/sounds", "/data")
    assert owners.splitlines() == ["root 755", "root 1777", "root 1777"]


def test_a_user_that_it_does_not_know_has_a_name_and_a_home(built: Builder) -> None:
    ask = "import getpass, pathlib; print(getpass.getuser(), pathlib.Path.home())"
    command = built.command("stage", "python3", "-c", ask, user="12345:12345")
    assert subprocess.check_output(command, text=True) == "eutectic /data\n"


def test_a_daemon_in_there_is_healthy_and_ends_when_it_is_told_to(built: Builder) -> None:
    others = built.stages["stage"].others
    (entry,) = json.loads(others["ENTRYPOINT"])
    options = ["--device", "null", "--model", "toy", "--no-spare", "--page", "off", "--query", "0"]
    served = subprocess.Popen(
        built.command("stage", entry, "serve", "--port", "0", *options),
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert served.stdout is not None
        port = re.search(r"listening on 127.0.0.1:(\d+)", served.stdout.readline())
        assert port
        check = json.loads(others["HEALTHCHECK"].partition(" CMD ")[2])
        assert "engine" in run(built, "stage", *check, "--port", port[1])
    finally:
        served.send_signal(signal.SIGTERM)
        assert served.wait(20) == 0
