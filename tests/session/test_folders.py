"""Which files clients may read and write."""

from __future__ import annotations

from pathlib import Path

import pytest

from eutectic.errors import BadOutput, NoFile
from eutectic.session.folders import BadPath, Folders


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    names = ("one", "two", "renders", "shipped", "home")
    one, two, renders, shipped, home = (tmp_path / name for name in names)
    for folder, files in (
        (one, "both first"), (two, "both second"), (renders, "render"), (shipped, "bell"),
        (home, "mine"),
    ):  # fmt: skip
        folder.mkdir()
        for name in files.split():
            (folder / f"{name}.wav").touch()
    (tmp_path / "secret.wav").touch()
    return Folders((one, two), renders, shipped, home)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("both.wav", "one/both.wav"), ("second.wav", "two/second.wav"),
        ("render.wav", "renders/render.wav"), ("bell.wav", "shipped/bell.wav"),
        ("../two/both.wav", "two/both.wav"),
    ],
)  # fmt: skip
def test_files_are_found_by_name_in_every_folder_that_is_read(
    folders: Folders, tmp_path: Path, name: str, found: str
) -> None:
    assert folders.to_read(name) == tmp_path / found
    assert folders.to_read(f"Macintosh HD:{tmp_path / found}") == tmp_path / found


def test_home_is_read_by_absolute_paths_from_this_machine_alone(
    folders: Folders, tmp_path: Path
) -> None:
    mine = str(tmp_path / "home" / "mine.wav")
    assert folders.to_read(mine, local=True) == Path(mine)
    assert folders.to_read("~/mine.wav", local=True) == Path(mine)
    for name, local in ((mine, False), ("mine.wav", True), ("~/mine.wav", False)):
        with pytest.raises((BadPath, NoFile)):
            folders.to_read(name, local)


@pytest.mark.parametrize("name", ["../secret.wav", "../../etc/passwd", "/etc/passwd", "a\0b"])
def test_nothing_else_is_read_or_written(folders: Folders, name: str) -> None:
    for local in (False, True):
        with pytest.raises(BadPath):
            folders.to_read(name, local)
    with pytest.raises(BadPath):
        folders.to_write(name)


def test_a_link_out_of_a_folder_leads_nowhere(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "one" / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises((BadPath, NoFile)):
        folders.to_read("link.wav")


def test_a_missing_file_is_said_where_it_was_looked_for_with_near_names(folders: Folders) -> None:
    said = r"frst\.wav: no such file; did you mean first.*Looked in .*one"
    with pytest.raises(NoFile, match=said):
        folders.to_read("frst.wav")


def test_what_was_written_is_never_replaced_and_can_be_read(folders: Folders) -> None:
    path = folders.to_write("take 1")
    assert path.name == "take 1.wav"
    path.touch()
    with pytest.raises(BadOutput, match="exists"):
        folders.to_write("take 1")
    assert folders.to_read("take 1.wav") == path
    assert folders.shown(path) == "take 1.wav"
