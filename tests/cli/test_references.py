"""`eutectic references`: what was learned is listed and deleted, and only what was meant."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from commands import refused
from eutectic.cli import run
from loras import write_lora
from sound_files import RATE, tone, write

WEEK_SECONDS = 7 * 86_400


@pytest.fixture
def learned(own_data: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The ids of two references, the first of which was last used a week ago."""
    for number, name in enumerate(("hinge", "glass")):
        write(own_data / f"{name}.wav", tone(RATE, 0.5, 300.0 + 200 * number))
        assert run(["learn", f"{name}.wav", "--model", "toy", "--learn-steps", "2"]) == 0
    ids = {each["about"]["prompt"]: each["id"] for each in listed(capsys)}
    (old,) = (own_data.parent / "data" / "references").glob(f"{ids['hinge']}*")
    before = time.time() - WEEK_SECONDS
    os.utime(old, (before, before))
    return [ids["hinge"], ids["glass"]]


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["references", "--json", *arguments]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["references"]
    return found


def test_a_row_says_what_a_reference_is_how_large_and_when_it_was_used(
    learned: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["references"]) == 0
    heading, glass, hinge, total = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["id", "prompt", "s"]
    assert glass.split()[:2] == [learned[1][:8], "glass"] and " toy " in glass
    assert hinge.split()[:2] == [learned[0][:8], "hinge"]
    assert total.startswith("2, ")
    assert all(each["bytes"] > 0 for each in listed(capsys))


def test_only_what_is_named_or_unused_is_deleted(
    learned: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    hinge, glass = learned
    assert [each["id"] for each in listed(capsys, "--unused", "6")] == [hinge]
    assert listed(capsys, glass, "--unused", "6", "--delete") == []
    assert len(listed(capsys)) == 2
    assert [each["id"] for each in listed(capsys, "--unused", "6", "--delete")] == [hinge]
    assert [each["id"] for each in listed(capsys)] == [glass]
    assert [each["id"] for each in listed(capsys, glass[:6], "--delete")] == [glass]
    assert listed(capsys) == []


def test_one_that_is_used_again_is_not_unused(
    learned: list[str], own_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["learn", "hinge.wav", "--model", "toy", "--learn-steps", "2"]) == 0
    assert listed(capsys, "--unused", "6") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--delete",), ("--delete needs", "--unused DAYS")),
        (("xyz", "--delete"), ("no references", "'xyz'")),
        (("", "--delete"), ("references are called ''",)),
        (("--unused", "-1", "--delete"), ("days", "-1")),
        (("--unused", "nan", "--delete"), ("days", "nan")),
    ],
)
def test_a_mistake_deletes_nothing(
    learned: list[str], capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...], words: tuple[str, ...],
) -> None:  # fmt: skip
    capsys.readouterr()
    line = refused(capsys, "references", *arguments)
    assert all(word in line for word in words)
    assert len(listed(capsys)) == 2


def test_a_damaged_file_is_listed_and_can_be_deleted(
    learned: list[str], own_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_data.parent / "data" / "references" / "0bad.safetensors").write_bytes(b"nonsense")
    capsys.readouterr()
    assert run(["references"]) == 0
    assert "damaged" in capsys.readouterr().out
    assert [each["id"] for each in listed(capsys, "0bad", "--delete")] == ["0bad"]


def test_lora_files_are_added_listed_and_deleted(
    own_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lora(own_data / "tape.safetensors")
    write_lora(own_data / "dust.safetensors", seed=1)
    (own_data / "text.ckpt").write_text("not one")
    assert run(["references", "add", "tape.safetensors", "dust.safetensors", "--model", "toy"]) == 0
    tape, dust = capsys.readouterr().out.splitlines()
    assert tape.startswith("tape.safetensors: lora of rank 4, 1 layers of toy; id ")
    (own_data / "tape.safetensors").unlink()
    rows = {each["about"]["file"]: each["id"] for each in listed(capsys)}
    assert f"id {rows['dust.safetensors'][:8]}; /reference/load NAME dust.safetensors" in dust
    kept = own_data.parent / "data" / "loras"
    assert sorted(path.name for path in kept.iterdir()) == ["dust.safetensors", "tape.safetensors"]
    assert run(["references"]) == 0
    assert "tape.safetensors" in capsys.readouterr().out
    assert len(listed(capsys, rows["tape.safetensors"][:8], "--delete")) == 1
    assert len(listed(capsys)) == 1
    for words, text in (
        (("add",), "add needs LoRA files"),
        (("add", "dust.safetensors", "--delete"), "add takes"),
        (("add", "dust.safetensors", "--json"), "add takes"),
        (("add", "text.ckpt", "--model", "toy"), "text.ckpt"),
        (("add", "none.safetensors", "--model", "toy"), "No such file"),
        (("add", "dust.safetensors", "--model", "embedded"), "is for another model"),
    ):
        assert text in refused(capsys, "references", *words)
    assert len(listed(capsys)) == 1
    write_lora(own_data / "dust.safetensors", seed=2)
    words = refused(capsys, "references", "add", "dust.safetensors", "--model", "toy")
    assert "exists, and is another" in words
