"""A Dockerfile, carried out without a builder: every instruction, on a throw-away copy of Debian.

A stage is an overlay in memory over this machine's own system, which takes the place of its base
image; its commands run in there word for word. That needs root, as a builder does.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from dockerfile_parse import DockerfileParser

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Docker's own, where an image says nothing else."""

REGISTRIES = re.compile(r"(PIP|SSL|UV)_\w+|\w+_proxy", re.IGNORECASE)
"""Variables of this machine that say how packages are to be had."""


@dataclass(frozen=True)
class Instruction:
    """One of a Dockerfile's, with the line that it begins in."""

    word: str
    text: str
    line: int

    @property
    def flags(self) -> list[str]:
        return self.text.removesuffix(self.rest).split()

    @property
    def rest(self) -> str:
        return re.sub(r"^(--\S+\s+)+", "", self.text)


def instructions(path: Path) -> list[Instruction]:
    """All of a Dockerfile's instructions, comments aside."""
    with path.open("rb") as file:
        found = DockerfileParser(fileobj=file).structure
    return [
        Instruction(each["instruction"], each["value"], each["startline"] + 1)
        for each in found
        if each["instruction"] != "COMMENT"
    ]


@dataclass(frozen=True)
class Stage:
    """What an image is so far: its layers, uppermost first, and how it is to be run."""

    layers: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str = "root"
    folder: str = "/"
    others: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its last EXPOSE, HEALTHCHECK and so on say."""


class Builder:
    """Builds a Dockerfile's stages; what it mounts is gone with it.

    `context`: the folder that is copied from, as far as its `.dockerignore` lets. `arguments`: of
    the build. `caches`: folders of this machine by where they are mounted as caches, and stay, so
    that what is installed may link to them; instead of others there is this system's own folder.
    """

    def __init__(
        self, context: Path, scratch: Path, arguments: Mapping[str, str],
        caches: Mapping[str, Path],
    ) -> None:  # fmt: skip
        self._context, self._scratch = context, scratch
        self._arguments, self._caches = arguments, caches
        self._shared: dict[str, str] = {}
        self.stages: dict[str, Stage] = {}

    def __enter__(self) -> Self:
        # The mounts are in a name space of a process that ends with this one
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self._do("mount", "-t", "tmpfs", "tmpfs", str(self._scratch))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        self._holder.communicate()

    def build(self, found: Sequence[Instruction]) -> None:
        """Build all stages, in their order."""
        name, stage = "", Stage()
        for each in found:
            if each.word == "FROM":
                self._close(name, stage)
                base, _, name = each.text.partition(" AS ")
                parent = self.stages.get(base, Stage())
                layer = self._scratch / name
                self._do(
                    "mkdir", str(layer), str(layer / "upper"), str(layer / "work"), self._root(name)
                )
                stage = replace(parent, layers=(layer / "upper", *parent.layers), arguments={})
                self._mount(name, stage)
            elif not name:
                self._shared |= self._argument(each)
            else:
                stage = self._carry_out(each, name, stage)
        self._close(name, stage)

    def command(self, name: str, *words: str, user: str = "") -> list[str]:
        """A command line that runs words in a built stage as its image would, or another user."""
        stage = self.stages[name]
        return self._in_stage(name, replace(stage, user=user or stage.user), {}, *words)

    def _carry_out(self, each: Instruction, name: str, stage: Stage) -> Stage:
        match each.word:
            case "RUN":
                self._run(each, name, stage)
            case "COPY":
                self._copy(each, name, stage)
            case "WORKDIR":
                self._do("mkdir", "-p", self._root(name) + each.text)
                return replace(stage, folder=each.text)
            case "ENV":
                pairs = dict(word.split("=", 1) for word in shlex.split(each.text))
                return replace(stage, variables={**stage.variables, **pairs})
            case "ARG":
                return replace(stage, arguments={**stage.arguments, **self._argument(each)})
            case "USER":
                return replace(stage, user=each.text)
            case "CMD" | "ENTRYPOINT" | "EXPOSE" | "HEALTHCHECK" | "LABEL" | "VOLUME":
                return replace(stage, others={**stage.others, each.word: each.text})
            case _:
                raise AssertionError(f"line {each.line}: {each.word} is not known here")
        return stage

    def _argument(self, each: Instruction) -> dict[str, str]:
        key, has_default, default = each.text.partition("=")
        text = "".join(shlex.split(default)) if has_default else self._shared[key]
        return {key: self._arguments.get(key, text)}

    def _run(self, each: Instruction, name: str, stage: Stage) -> None:
        """Run a command in a stage as its user, with what is mounted for it."""
        root, mounted = self._root(name), list[str]()
        for flag in each.flags:
            mount = dict(word.split("=", 1) for word in flag.removeprefix("--mount=").split(","))
            if mount["type"] == "bind":
                mounted.append(self._bind(mount, root))
        machine = {key: value for key, value in os.environ.items() if REGISTRIES.fullmatch(key)}
        variables = {"HOME": "/root", **machine, **stage.arguments}
        command = self._in_stage(name, stage, variables, "sh", "-c", each.rest)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"line {each.line}: {done.stdout}{done.stderr}"
        for target in reversed(mounted):
            self._do("umount", target)

    def _bind(self, mount: Mapping[str, str], root: str) -> str:
        """Mount a folder of another stage, or a file of the context; returns where."""
        target = root + mount["target"]
        if "from" in mount:
            source = self._root(mount["from"]) + mount["source"]
            self._do("mkdir", "-p", target)
        else:
            source = str(self._context / mount["source"])
            assert mount["source"] in context(self._context)
            self._do("install", "-D", "/dev/null", target)
        self._do("mount", "--bind", source, target)
        return target

    def _copy(self, each: Instruction, name: str, stage: Stage) -> None:
        assert each.text == ". .", f"line {each.line}: only the whole context is copied here"
        into = self._root(name) + stage.folder
        self._do("env", f"--chdir={self._context}", "cp", "-a", "--parents", "-t", into,
                 *context(self._context))  # fmt: skip

    def _close(self, name: str, stage: Stage) -> None:
        """Let others build on a stage, and run it; only its volume and /tmp can be written."""
        if not name:
            return
        self._do("umount", "--recursive", self._root(name))
        self._mount(name, stage, writable=False)
        for folder in ("/tmp", *stage.others.get("VOLUME", "").split()):
            there = self._root(name) + folder
            mode = self._do("stat", "--format=%a", there).strip()
            self._do("mount", "-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", there)
        self.stages[name] = stage

    def _mount(self, name: str, stage: Stage, writable: bool = True) -> None:
        first, *others = stage.layers
        below = ":".join(map(str, ([] if writable else [first]) + others + [Path("/")]))
        above = f",upperdir={first},workdir={first.with_name('work')}" if writable else ""
        root = self._root(name)
        self._do("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={below}{above}", root)
        for each in ("/dev", "/proc"):
            self._do("mount", "--rbind", each, root + each)
        for target, cache in self._caches.items():
            if writable:
                self._do("mkdir", "-p", root + target)
            self._do("mount", "--bind", str(cache), root + target)

    def _root(self, name: str) -> str:
        return str(self._scratch / name / "root")

    def _inside(self, *words: str) -> list[str]:
        return ["nsenter", "--target", str(self._holder.pid), "--mount", "--", *words]

    def _in_stage(
        self, name: str, stage: Stage, variables: Mapping[str, str], *words: str
    ) -> list[str]:
        given = {"PATH": PATH, **variables, **stage.variables}
        return self._inside(
            "env", "-i", *(f"{key}={value}" for key, value in given.items()),
            "chroot", f"--userspec={stage.user}", self._root(name),
            "sh", "-c", 'cd "$0" && exec "$@"', stage.folder, *words,
        )  # fmt: skip

    def _do(self, *words: str) -> str:
        """Do something where the mounts are; returns what it prints."""
        done = subprocess.run(self._inside(*words), stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout


def context(folder: Path) -> list[str]:
    """What its `.dockerignore`, which begins with `*`, lets through of a folder."""
    lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    kept = [each[1:] for each in patterns if each.startswith("!")]
    assert all((folder / each).exists() for each in kept)
    return kept
