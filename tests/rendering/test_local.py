from __future__ import annotations

import errno
import threading
from pathlib import Path

import msgspec
import pytest

import renders
from eutectic.errors import BadOutput
from eutectic.files.tags import read_comment
from eutectic.rendering import local
from eutectic.rendering.destination import STATE, TAKEN
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.opening import open_destination
from renders import TAGS, Killed, key, plan, row, sound


def put(folder: LocalFolder, *names: str) -> None:
    sink = folder.sink("w")
    for name in names:
        sink.put(row(name), sound(name), TAGS)
    sink.close()


def names(folder: LocalFolder) -> list[str]:
    return sorted(each.name for each in folder.rows())


def files(folder: Path) -> list[str]:
    """All that a user sees there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path.parts[0] != STATE)


def left(folder: Path) -> list[str]:
    """What is in the state that has no place there."""
    return [path.name for path in (folder / STATE).rglob("*")
            if path.is_file() and path.name not in (local.JOURNAL, local.LOCK)]  # fmt: skip


def test_a_sound_is_there_with_its_tags_and_its_row_says_its_size(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "new")
    assert names(folder) == []
    assert not (tmp_path / "new").exists(), "looking makes nothing"
    sink = folder.sink("gpu 0/node")
    made = sink.put(row("a/x.flac"), sound("x"), TAGS)
    path = tmp_path / "new" / "a" / "x.flac"
    assert made.size == path.stat().st_size
    assert made.at
    assert read_comment(path) == TAGS.comment
    assert list(folder.rows()) == [made]
    assert left(tmp_path / "new") == []


def test_a_row_whose_file_is_gone_or_was_changed_does_not_count(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    put(folder, "x.wav", "y.wav", "z.wav")
    (tmp_path / "x.wav").unlink()
    (tmp_path / "y.wav").write_bytes(b"cut and saved by someone")
    assert names(folder) == ["z.wav"]
    put(folder, "x.wav", "y.wav")
    assert names(folder) == ["x.wav", "y.wav", "z.wav"]
    assert (tmp_path / "y.wav").read_bytes() == b"cut and saved by someone"
    assert {each.name: each.reason for each in folder.rows()}["y.wav"] == TAKEN


def test_no_file_is_replaced_and_one_that_was_in_the_way_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"mine")
    folder = LocalFolder(tmp_path)
    put(folder, "x.wav")
    (found,) = folder.rows()
    assert found.reason == TAKEN
    assert (tmp_path / "x.wav").read_bytes() == b"mine"
    (tmp_path / "x.wav").unlink()
    assert names(folder) == []
    put(folder, "x.wav")
    (found,) = folder.rows()
    assert not found.reason


def test_a_name_taken_just_before_it_is_given_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(source: Path, target: Path) -> None:
        target.write_bytes(bytes(source.stat().st_size))  # of the very same size
        move(source, target)

    move = local.move
    monkeypatch.setattr(local, "move", late)
    put(LocalFolder(tmp_path), "x.wav")
    (found,) = LocalFolder(tmp_path).rows()
    assert found.reason == TAKEN
    assert not any((tmp_path / "x.wav").read_bytes())
    assert left(tmp_path) == []


def test_of_two_plans_that_gave_one_name_the_later_has_the_file(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    sink = folder.sink("w")
    sink.put(row("x.wav", key="a" * 32), sound("a"), None)
    (tmp_path / "x.wav").unlink()
    sink.put(row("x.wav", key="b" * 32), sound("b"), None)
    assert [each.key for each in folder.rows()] == ["b" * 32], "both are of one size"


def test_what_was_journalled_but_not_published_is_published_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Path) -> None:
        raise OSError(errno.EIO, "killed here")

    folder = LocalFolder(tmp_path)
    put(folder, "before.wav")
    with monkeypatch.context() as patched:
        patched.setattr(local, "move", killed)
        with pytest.raises(BadOutput, match="killed here"):
            put(folder, "x.flac")
    assert names(folder) == ["before.wav"]
    assert len(left(tmp_path)) == 1
    settle(tmp_path)
    assert names(folder) == ["before.wav", "x.flac"]
    assert left(tmp_path) == []
    settle(tmp_path)
    assert files(tmp_path) == ["before.wav", "x.flac"]


def settle(folder: Path) -> None:
    found = open_destination(str(folder))
    found.settle()
    found.close()


def test_what_was_half_written_is_removed_and_so_are_empty_journals(tmp_path: Path) -> None:
    sink = LocalFolder(tmp_path).sink("w")
    sink.close()
    put(LocalFolder(tmp_path), "x.wav")
    for own in (tmp_path / STATE).glob("w.*"):
        (own / ".abcdef.flac").write_bytes(b"half")
        (own / f"{key('y.flac')}.flac").write_bytes(b"not journalled")
    settle(tmp_path)
    assert files(tmp_path) == ["x.wav"]
    assert left(tmp_path) == []
    assert len(list((tmp_path / STATE).glob("w.*"))) == 1


def test_a_torn_line_costs_only_its_own_row(tmp_path: Path) -> None:
    put(LocalFolder(tmp_path), "x.wav", "y.wav")
    (journal,) = (tmp_path / STATE).glob("*/*.jsonl")
    whole = journal.read_bytes()
    for cut in (1, 2, 100, len(whole.splitlines(keepends=True)[1])):
        journal.write_bytes(whole[:-cut])
        assert names(LocalFolder(tmp_path)) == (["x.wav", "y.wav"] if cut == 1 else ["x.wav"])
    journal.write_bytes(b"\0" * 500 + b"\n" + whole)
    assert names(LocalFolder(tmp_path)) == ["x.wav", "y.wav"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = LocalFolder(tmp_path)
    sink = folder.sink("w")
    sink.put(row("x.wav"), sound("x.wav"), TAGS)
    with monkeypatch.context() as patched:
        full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
        patched.setattr(sink, "_journal", full)
        with pytest.raises(BadOutput, match="No space left"):
            sink.put(row("y.wav"), sound("y.wav"), TAGS)
    assert names(folder) == ["x.wav"]
    assert files(tmp_path) == ["x.wav"]
    assert left(tmp_path) == []
    sink.put(row("y.wav"), sound("y.wav"), TAGS)
    assert names(folder) == ["x.wav", "y.wav"], "it goes on when there is room"


@pytest.mark.parametrize(
    "name", ["../x.wav", "/x.wav", "a/../../x.wav", f"{STATE}/x.wav", "", "a//x"]
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    sink = LocalFolder(tmp_path).sink("w")
    with pytest.raises(BadOutput, match="can't be the name"):
        sink.put(row(name), sound("x"), None)


def test_several_machines_write_at_once_each_into_its_own_journal(tmp_path: Path) -> None:
    def work(number: int) -> None:
        folder, of = LocalFolder(tmp_path), list(plan(40))
        renders.render(folder, iter(of[number::4]), "worker")

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert names(LocalFolder(tmp_path)) == sorted(plan(40))
    assert len(list((tmp_path / STATE).glob("worker.*"))) == 4


def test_a_second_run_waits_and_then_says_that_there_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "WAIT_SECONDS", 0.2)
    first = LocalFolder(tmp_path)
    first.settle()
    sink = first.sink("gpu0")
    with pytest.raises(BadOutput, match="another run writes into it"):
        LocalFolder(tmp_path).settle()
    first.close()
    with pytest.raises(BadOutput, match=r"gpu0\.\w+, of another run, writes"):
        LocalFolder(tmp_path).settle()
    sink.close()
    LocalFolder(tmp_path).settle()


def test_a_file_beside_the_sounds_is_replaced_only_as_it_was_written(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    (tmp_path / "b.csv").write_text("someone's")
    assert folder.write("a.csv", [b"1", b"2"]) == "a.csv"
    assert folder.write("a.csv", [b"3"]) == "a.csv"
    assert folder.write("b.csv", [b"3"]) == "b-2.csv"
    assert (tmp_path / "a.csv").read_text() == "3"
    (tmp_path / "a.csv").write_text("3, with my marks")
    assert folder.write("a.csv", [b"4"]) == "a-2.csv"
    assert folder.write("a.csv", [b"5"]) == "a-2.csv"
    assert (tmp_path / "a.csv").read_text() == "3, with my marks"
    assert (tmp_path / "b.csv").read_text() == "someone's"

    def fails() -> None:
        def content():
            yield b"half"
            raise ZeroDivisionError

        folder.write("a.csv", content())

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (tmp_path / "a-2.csv").read_text() == "5"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        STATE,
        "a-2.csv",
        "a.csv",
        "b-2.csv",
        "b.csv",
    ]


@pytest.mark.process
def test_killed_at_any_moment_nothing_is_made_twice_or_left_half_written(tmp_path: Path) -> None:
    folder, count = tmp_path / "renders", 150
    said = Killed(str(folder), count, between=8, pause_seconds=0.004)
    assert said.kills > 20
    assert all(said[name] <= 1 for name in plan(count)), "what was done is done again"
    settle(folder)
    assert files(folder) == sorted(name for name in plan(count) if not renders.bad(name))
    assert left(folder) == []
    rows = list(LocalFolder(folder).ordered(map(key, plan(count))))
    assert [each.name for each in rows] == list(plan(count))

    whole = LocalFolder(tmp_path / "whole")
    renders.render(whole, plan(count), "worker")
    assert [same(each) for each in rows] == [
        same(each) for each in whole.ordered(map(key, plan(count)))
    ]
    for name in files(folder):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def same(found: renders.Row) -> renders.Row:
    return msgspec.structs.replace(found, seconds=None, worker="", at="")
