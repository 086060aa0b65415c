"""What was learned on another machine, brought into this one's store: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from eutectic.link import messages as wire
from eutectic.link.fetcher import Fetcher, give
from eutectic.link.messages import PART_BYTES, Message
from eutectic.link.outbox import Frame, Outbox
from eutectic.link.protocol import Learned, Result
from eutectic.link.stored import stored_path

KEY = "0123456789abcdef" * 2
LEARNED = Learned(1, 60, KEY)
CONTENT = bytes(range(256)) * (3 * PART_BYTES // 256) + b"the rest"


class Machines:
    """A store over there, and a fetcher with a store here; what it has asked for, and said."""

    def __init__(self, folder: Path) -> None:
        self.there, self.here = folder / "there", folder / "here"
        self.asked: list[Message] = []
        self.said: list[Result] = []
        self.fetcher = Fetcher(self.here, self.asked.append, self.said.append)

    def put(self, content: bytes) -> None:
        path = stored_path(self.there, "reference", KEY)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)

    def parts(self) -> list[tuple[wire.Keep, bytes]]:
        """What the other machine sends."""
        sent: list[tuple[wire.Keep, bytes]] = []

        def send(message: Message, frame: Frame | None) -> None:
            assert isinstance(message, wire.Keep) and frame is not None
            sent.append((message, bytes(frame)))

        outbox = Outbox(send)
        give(outbox, self.there, KEY)
        arrived = 0
        while arrived != (arrived := sum(len(part) for _, part in sent)):
            outbox.arrived(arrived)
        return sent

    def kept(self) -> list[bytes]:
        folder = self.here / "references"
        return [each.read_bytes() for each in folder.iterdir()] if folder.is_dir() else []


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    return Machines(tmp_path)


def test_it_is_said_to_be_learned_once_its_file_is_here(machines: Machines) -> None:
    machines.put(CONTENT)
    assert machines.fetcher.take(LEARNED) and machines.asked == [wire.Want(KEY)]
    *parts, last = machines.parts()
    for part in parts:
        machines.fetcher.keep(*part)
    assert len(parts) == 3 and machines.said == []
    machines.fetcher.keep(*last)
    assert machines.said == [LEARNED] and machines.kept() == [CONTENT]
    assert not machines.fetcher.take(LEARNED) and len(machines.asked) == 1  # it is here


@pytest.mark.parametrize("fault", ["gone", "gap", "full"])
def test_what_cannot_be_brought_whole_is_said_all_the_same_and_leaves_nothing(
    machines: Machines, fault: str
) -> None:
    if fault != "gone":
        machines.put(CONTENT)
    if fault == "full":
        machines.here.mkdir()
        (machines.here / "references").write_bytes(b"")  # no folder can be made
    assert machines.fetcher.take(LEARNED)
    parts = machines.parts()
    for part in parts[:1] + parts[2:] if fault == "gap" else parts:
        machines.fetcher.keep(*part)
    assert machines.said == [LEARNED] and machines.kept() == []


def test_the_rest_of_what_was_given_up_is_not_taken_for_what_is_asked_for_next(
    machines: Machines,
) -> None:
    machines.put(CONTENT)
    parts = machines.parts()
    machines.fetcher.take(LEARNED)
    for part in (parts[0], parts[2]):
        machines.fetcher.keep(*part)
    assert machines.said == [LEARNED] and machines.kept() == []
    machines.fetcher.take(LEARNED)
    for part in (parts[3], *parts):
        machines.fetcher.keep(*part)
    assert machines.said == [LEARNED, LEARNED] and machines.kept() == [CONTENT]


def test_half_of_it_is_left_nowhere_when_the_wire_is_lost(machines: Machines) -> None:
    machines.put(CONTENT)
    machines.fetcher.take(LEARNED)
    machines.fetcher.keep(*machines.parts()[0])
    machines.fetcher.close()
    assert machines.kept() == [] and machines.said == []


def test_no_other_file_can_be_asked_for(machines: Machines) -> None:
    for key in ("", "../engine-keys", KEY.upper(), KEY + "0"):
        with pytest.raises(ValueError, match="no key"):
            give(Outbox(lambda *_: None), machines.there, key)
        assert not machines.fetcher.take(Learned(1, 60, key))
