"""What a session is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eutectic.session.folders import Folders


@dataclass(frozen=True)
class SessionSettings:
    """What the daemon was started with; all paths are absolute.

    `input_device`: None for the system's default, `off` for none. `memory_bytes` limits the
    engine's cache, `ready_bytes` fusions kept as audio in memory, `stored_bytes` those on disk.
    `clock` is what beats follow, as `/tempo/clock` has it; `clock_out` part of the name of a MIDI
    output that they are sent to. `engine` is the `HOST:PORT` of another machine's engine, empty for
    this one's.
    """

    model: str
    compute: str | None
    folders: Folders
    data: Path
    session: Path | None
    input_device: str | None
    memory_bytes: int
    ready_bytes: int
    stored_bytes: int
    clock: str = "internal"
    clock_out: str | None = None
    engine: str = ""
