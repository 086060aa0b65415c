"""From bytes to movements, halves to values, and movements to what is learned."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from eutectic.midi.fourteen import HOLD_SECONDS, Halves
from eutectic.midi.learning import Learning
from eutectic.midi.messages import Event, Splitter, movement


def movements(*packets: list[int]) -> list[tuple[str, int, int]]:
    splitter = Splitter()
    events = [movement(each) for packet in packets for each in splitter.split(packet)]
    return [(each.kind, each.number, each.raw) for each in events if each is not None]


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        ([[0x90, 36, 100], [37, 90], [36, 0]],
         [("note", 36, 100), ("note", 37, 90), ("note", 36, 0)]),
        ([[0xB0, 1, 2, 3, 4, 0xF8, 5, 0xFE, 6]], [("cc", 1, 2), ("cc", 3, 4), ("cc", 5, 6)]),
        ([[0xC0, 1, 2]], [("program", 1, 127), ("program", 2, 127)]),
        ([[0x90, 36], [100]], [("note", 36, 100)]),
        ([[0x90, 36, 0xB0, 7, 1]], [("cc", 7, 1)]),
        ([[0x90, 36, 1], [0xF0, 1, 2, 0xF7], [37, 1], [0xB0, 1, 1]],
         [("note", 36, 1), ("cc", 1, 1)]),
        ([[0xD0, 9, 8], [0xA0, 36, 5], [0xF8], [0xFE], [0xF2, 1, 2], [0xFF]], []),
        ([[1, 2, 3], []], []),
    ],
)  # fmt: skip
def test_messages_are_split_with_running_status_and_clocks_between(
    packets: list[list[int]], expected: list[tuple[str, int, int]]
) -> None:
    assert movements(*packets) == expected


def swept() -> Iterator[int]:
    """Up and down across many carries of the lower half, by one and by many steps."""
    yield from range(8000, 8400)
    yield from range(8400, 7000, -37)
    yield from range(7000, 16384, 201)
    yield 16383


def halves_of(value: int, order: str, known: dict[str, int]) -> list[tuple[str, int]]:
    parts = [("upper", value >> 7), ("lower", value & 127)]
    if order.startswith("lower"):
        parts.reverse()
    if order.endswith("changed"):
        parts = [each for each in parts if known.get(each[0]) != each[1]]
    known.update(parts)
    return parts


@pytest.mark.parametrize("gap", [0.0, 0.0007])
@pytest.mark.parametrize("order", ["upper first", "lower first"])
def test_both_halves_in_either_order_give_each_value_and_no_other(order: str, gap: float) -> None:
    halves, now, made = Halves(), 100.0, list[int | None]()
    for value in swept():
        now += 0.01
        for half, part in halves_of(value, order, {}):
            now += gap
            made.append(halves.take(half, part, now))  # type: ignore[arg-type]
    heard = [key for key, _ in itertools.groupby(each for each in made if each is not None)]
    sent = [key for key, _ in itertools.groupby(swept())]
    first = [(8000 >> 7) << 7] if order == "upper first" else []  # before any lower half is known
    assert heard == first + sent
    assert not halves.held


@pytest.mark.parametrize("order", ["upper first", "lower first", "upper first, changed"])
def test_halves_in_one_burst_give_each_value_and_no_other(order: str) -> None:
    """As JACK delivers them: all those of a period at one time."""
    halves, known, made = Halves(), dict[str, int](), list[int | None]()
    for value in range(8000, 8400):
        for half, part in halves_of(value, order, known):
            made.append(halves.take(half, part, 100.0))  # type: ignore[arg-type]
    heard = [each for each in made if each is not None]
    assert heard == sorted(heard) and heard[-1] == 8399
    assert len(heard) >= 399


def test_halves_that_are_sent_only_when_they_change_never_jump_back() -> None:
    """A half that comes alone is used at the latest after HOLD_SECONDS."""
    for order in ("upper first, changed", "lower first, changed"):
        halves, now, known, heard = Halves(), 100.0, dict[str, int](), list[int]()
        for value in (8000, 8001, *range(8001, 8400)):
            now += 0.05
            for half, part in halves_of(value, order, known):
                taken = halves.take(half, part, now)  # type: ignore[arg-type]
                heard += [] if taken is None else [taken]
            released = halves.release()
            heard += [] if released is None else [released]
        assert heard == sorted(heard) and heard[-1] == 8399


def test_one_movement_that_was_held_up_between_its_halves_does_not_change_their_order() -> None:
    halves, made = Halves(), list[int | None]()
    for at, half, part in (
        (1.0, "lower", 1),
        (1.0, "upper", 9),
        (1.01, "lower", 2),
        (1.02, "upper", 9),
        (1.02, "lower", 3),
        (1.02, "upper", 10),
    ):
        made.append(halves.take(half, part, at))  # type: ignore[arg-type]
    values = [(9 << 7) + 1, (9 << 7) + 2, (10 << 7) + 3]
    assert made == [each for value in values for each in (None, value)]


def test_an_upper_half_alone_is_a_control_of_seven_bits() -> None:
    halves = Halves()
    assert [halves.take("upper", n, n * HOLD_SECONDS) for n in range(3)] == [0, 128, 256]


def test_nothing_is_sent_of_a_lower_half_while_the_upper_is_unknown() -> None:
    halves = Halves()
    assert halves.take("lower", 100, 1.0) is None and halves.release() is None
    assert halves.take("upper", 64, 1.0) == (64 << 7) + 100


def cc(number: int, raw: int, channel: int = 1) -> Event:
    return Event("cc", channel, number, raw / 127, raw)


NOTE, PROGRAM = Event("note", 1, 36, 1.0, 127), Event("program", 1, 5, 1.0, 127)


@pytest.mark.parametrize(
    ("events", "kind", "number"),
    [
        ([cc(7, 5)], "cc", 7),
        ([cc(99, 1), cc(98, 5), cc(6, 64), cc(38, 3), cc(20, 9)], "cc", 20),
        ([cc(101, 0), cc(100, 0), cc(6, 2), cc(101, 127), cc(100, 127), cc(6, 9)], "cc", 6),
        ([cc(99, 1, channel=2), cc(6, 64)], "cc", 6),
        ([cc(123, 127), cc(121, 1), NOTE], "note", 36),
        ([cc(7, 0), NOTE], "note", 36),
        ([cc(2, 64), cc(34, 5)], "cc14", 2), ([cc(34, 5), cc(2, 64)], "cc14", 2),
        ([cc(2, 0), cc(34, 5)], "cc14", 2), ([cc(2, 64), cc(34, 5, channel=2)], "cc", 2),
        ([cc(64, 64), cc(96, 5)], "cc", 64),
        ([cc(0, 1), cc(32, 1), PROGRAM], "program", 5), ([cc(7, 1), PROGRAM], "cc", 7),
    ],
)  # fmt: skip
def test_what_is_learned_is_a_control_and_all_of_it(
    events: list[Event], kind: str, number: int
) -> None:
    async def learn() -> Event:
        learning = Learning()
        for event in events:
            learning.take(event)
        return await learning.moved

    learned = asyncio.run(asyncio.wait_for(learn(), 10))
    assert (learned.kind, learned.number) == (kind, number)
