"""What the PortAudio process answers, in one line of JSON."""

from __future__ import annotations

import msgspec

FILE = "file:"
"""Before the path of a sound file that is heard over and over, in place of an input device."""


class DeviceInfo(msgspec.Struct, frozen=True):
    """One of PortAudio's devices."""

    name: str
    host_api: str
    outputs: int
    inputs: int
    rate_hz: int
    default: bool


class Devices(msgspec.Struct, tag=True, frozen=True):
    """All of PortAudio's devices."""

    devices: list[DeviceInfo]


class Opened(msgspec.Struct, tag=True, frozen=True):
    """The output plays."""

    name: str
    rate_hz: int
    latency_seconds: float


class Listening(msgspec.Struct, tag=True, frozen=True):
    """The input is heard; `path` is the memory's."""

    name: str
    path: str
    rate_hz: int
    channels: int


class Refused(msgspec.Struct, tag=True, frozen=True):
    """It can't be done; `text` is for people."""

    text: str


Reply = Devices | Opened | Listening | Refused
