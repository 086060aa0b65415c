"""From a message to its handler, without an engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from eutectic.link.spare import Spare
from eutectic.osc.answers import Answer, Fail, read_answer
from eutectic.osc.packets import decode
from eutectic.osc.spec import PREFIX
from eutectic.osc.subscribers import Subscribers
from eutectic.osc.table import REQUESTS
from eutectic.playback.output import Output
from eutectic.playback.player import Player
from eutectic.playback.streams import DeviceSettings
from eutectic.session.due import timing
from eutectic.session.folders import Folders
from eutectic.session.session import Session
from eutectic.session.settings import SessionSettings
from osc_messages import everything


class Receiver:
    """A peer that keeps what it is sent."""

    address = ("127.0.0.1", 0)

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def send(self, packet: bytes) -> None:
        self.answers += [read_answer(address, values) for address, values, _ in decode(packet)]


def session(folder: Path) -> Session:
    settings = SessionSettings(
        "toy", None, Folders((folder,), folder), folder, None, None, 1 << 30, 1 << 30, 1 << 30
    )
    output = Output(DeviceSettings("null"))
    player = Player(output.rate_hz, output.channels, 4)
    return Session(settings, output, player, Subscribers(lambda _: Receiver()), Spare())


def test_every_request_of_the_table_is_handled(tmp_path: Path) -> None:
    """Each is open until the session is closed, before its handler has taken a step."""

    async def take_all() -> list[Answer]:
        one, receiver = session(tmp_path), Receiver()
        for spec in REQUESTS:
            one.take(receiver, PREFIX + spec.address, tuple(everything(spec)[0]), None)
        assert receiver.answers == []
        await one.close()
        return receiver.answers

    answers = asyncio.run(take_all())
    assert all(isinstance(answer, Fail) and answer.code == "cancelled" for answer in answers)
    cancelled = [answer.request for answer in answers if isinstance(answer, Fail) and answer.id > 0]
    assert cancelled == [PREFIX + spec.address for spec in REQUESTS if spec.has_id]


def test_what_is_late_or_far_off_is_done_at_once_and_reported() -> None:
    assert timing(None, 50.0) == (None, None)
    assert timing(53.0, 50.0) == (53.0, None)
    assert timing(49.0, 50.0) == (None, 1000.0)
    assert timing(61.0, 50.0) == (None, 11_000.0)
