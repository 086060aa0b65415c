from __future__ import annotations

from pathlib import Path

import pytest

from eutectic.errors import BadInput
from eutectic.osc.parse import parse
from eutectic.osc.spec import PREFIX
from eutectic.session.kept import KeptSession
from eutectic.session.shows import Begin, End, Event, arguments_of, line, read

BEGIN = Begin(1, "0.1", 48_000, KeptSession(1, "toy"), 4.5, True, [], [])


@pytest.fixture
def show(tmp_path: Path) -> Path:
    events = [
        Event(900, 3, "/stop", [1, 20.0], "pad"),
        Event(100, 1, "/fuse", [1, "a", "r", "@blend", 0.5], "pad"),
        Event(900, 2, "/scrub", [1, 0.25], "phone"),
    ]
    path = tmp_path / "show.jsonl"
    path.write_text("".join(map(line, (BEGIN, *events, End(4800)))))
    return path


def test_events_are_read_by_their_frames_then_as_they_were_begun(show: Path) -> None:
    found = read(show)
    assert found.begin == BEGIN and found.frames == 4800
    assert [each.address for each in found.events] == ["/fuse", "/scrub", "/stop"]
    assert found.events[0].message(7) == (7, 1, "a", "r", "@blend", 0.5)
    assert found.events[1].message(7) == (1, 0.25)


def test_what_was_cut_off_is_read_up_to_its_last_whole_line(show: Path) -> None:
    whole = show.read_bytes()
    show.write_bytes(whole[: whole.rindex(b"/scrub")])
    found = read(show)
    assert [each.address for each in found.events] == ["/fuse", "/stop"]
    assert found.frames == 900


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ('"/stop"', '"/nothing"', "line 2: there is no"),
        ('"r","@blend"', '"@blend"', "line 3: reference is missing"),
        ('{"frame":900', '{"frame":-1', "line 2: is no part of a show"),
        ('{"format":1', '{"format":9', "another version"),
        ('{"format":1', "{", "line 1: is no part of a show"),
        ('"fusion":{}', '"fusion":{"blend":7}', "blend: must be 0 to 1"),
    ],
)
def test_another_file_is_refused_in_one_line(
    show: Path, before: str, after: str, text: str
) -> None:
    assert before in show.read_text()
    show.write_text(show.read_text().replace(before, after))
    with pytest.raises(BadInput, match=text):
        read(show)


@pytest.mark.parametrize(
    ("address", "arguments"),
    [
        ("/fuse", [1, "a", "r", "@blend", 0.5, "@seed", 3]), ("/stop", []), ("/stop", [2, 100.0]),
        ("/clip/load", ["rain", "some where/rain 2.wav", "@start", 0.5]),
        ("/scrub", [1, 0.5, 0.25]),
    ],
)  # fmt: skip
def test_a_request_is_written_as_it_is_sent(
    address: str, arguments: list[int | float | str]
) -> None:
    event = Event(0, 1, address, arguments, "")
    request = parse(PREFIX + address, event.message(5))
    again = Event(0, 1, address, arguments_of(request), "")
    assert parse(PREFIX + address, again.message(5)) == request
