"""Names on disk that aren't UTF-8, and names that only look alike."""

from __future__ import annotations

import os
from pathlib import Path

from eutectic.files import names


def test_bytes_of_an_older_encoding_are_text_and_found_again(tmp_path: Path) -> None:
    there = os.fsencode(tmp_path) + b"/Caf\xe9.wav"
    with open(there, "wb") as file:  # a Path can't hold it as text
        file.write(b"sound")
    path = Path(os.fsdecode(there))
    text = names.text(path)
    assert text == f"{tmp_path}/Café.wav"
    text.encode()
    assert names.found(Path(text)).read_bytes() == b"sound"


def test_what_only_looks_alike_is_found_if_it_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "a\u00a0b.wav").write_bytes(b"1")
    assert names.found(tmp_path / "a b.wav").read_bytes() == b"1"
    (tmp_path / "a\u3000b.wav").write_bytes(b"2")
    assert not names.found(tmp_path / "a b.wav").exists()
    (tmp_path / "a b.wav").write_bytes(b"3")
    assert names.found(tmp_path / "a b.wav").read_bytes() == b"3"


def test_what_is_not_there_keeps_its_name(tmp_path: Path) -> None:
    assert names.found(tmp_path / "no" / "such.wav") == tmp_path / "no" / "such.wav"


def test_a_link_to_nothing_is_not_said_to_be_meant(tmp_path: Path) -> None:
    link = tmp_path / "a.wav"
    link.symlink_to(tmp_path / "gone.wav")
    assert names.missing(link) == f"{link}: is a link to a file that isn't there"
