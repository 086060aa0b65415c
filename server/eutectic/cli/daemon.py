"""`eutectic serve`: running the daemon."""

from __future__ import annotations

import functools
import importlib.util
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from eutectic.cli import options
from eutectic.cli.outputs import make_folder
from eutectic.config import data_folder
from eutectic.errors import BadInput, BadSetting
from eutectic.files.shipped import presets_folder
from eutectic.osc.spec import MAX_PORT, PORT
from eutectic.playback.presets import AudioPreset

if TYPE_CHECKING:
    from eutectic.daemon import Controller, DaemonSettings
    from eutectic.link.spare import Spare
    from eutectic.session.folders import Folders

LogLevel = Literal["debug", "info", "warning", "error"]

PLAIN = AudioPreset()
"""What laptop, the preset that is used by default, leaves as it is."""


def _of_preset(value: float | str) -> str:
    return f"(default: the preset's; laptop: {value})"


def serve(
    model: options.Model = "embedded",
    compute: options.Device = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="UDP and TCP port; 0 picks a free one.")] = PORT,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS[/MASK]|any",
            help="Other hosts that may send OSC; repeatable (default: this machine alone).",
        ),
    ] = None,
    watch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS[/MASK]|any",
            help="Other hosts that may ask and follow by OSC, and change nothing; repeatable.",
        ),
    ] = None,
    query: Annotated[
        int | None,
        typer.Option(help="TCP port for OSCQuery; 0 turns it off (default: the next port)."),
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(
            metavar="PORT|off",
            help="TCP port of the page for browsers, or off (default: the next port but one).",
        ),
    ] = None,
    clips: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder to read clips from; repeatable (default: clips in the data folder, and "
            "the user's music folder)."
        ),
    ] = None,
    renders: Annotated[
        Path | None,
        typer.Option(help="Folder to write sounds to (default: renders in the data folder)."),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(
            help="Session to save everything to and restore it from: a name or a file "
            "(default: none; nothing is kept)."
        ),
    ] = None,
    audio: Annotated[
        str,
        typer.Option(
            help="Audio preset (laptop, low, safe, quad) or file; the options below override it."
        ),
    ] = "laptop",
    device: Annotated[
        str | None,
        typer.Option(help="Output device: a name, null or file:PATH (default: the system's)."),
    ] = None,
    voices: Annotated[
        int | None, typer.Option(help=f"Number of voices, 1 to 16 {_of_preset(PLAIN.voices)}.")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help=f"Output channels to open {_of_preset(PLAIN.channels)}.")
    ] = None,
    rate: Annotated[
        int | None, typer.Option(help="Sample rate in Hz (default: the device's).")
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(help=f"The device's block size, in frames {_of_preset(PLAIN.block)}."),
    ] = None,
    ring_ms: Annotated[
        float | None,
        typer.Option(help=f"How far ahead to mix, in milliseconds {_of_preset(PLAIN.ring_ms)}."),
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(
            help="Latency to request from the device: low, high or a number of seconds "
            f"{_of_preset(PLAIN.latency)}."
        ),
    ] = None,
    midi: Annotated[
        list[str] | None,
        typer.Option(
            help="MIDI controller: part of its port's name; repeatable, also for two of one kind "
            "(default: the map's, if any)."
        ),
    ] = None,
    controller: Annotated[
        list[str] | None,
        typer.Option(
            help="Map of the controller: a name or a file; repeatable, one for each --midi, of "
            "which further ones have the last (default: generic)."
        ),
    ] = None,
    input_device: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Input device to listen to, file:PATH for a sound over and over, or off (default: "
            "the system's; off without an output device).",
        ),
    ] = None,
    clock: Annotated[
        str,
        typer.Option(
            metavar="internal|midi[:NAME]|link",
            help="What the beats follow: their own tempo, the MIDI clock of an input, or Ableton "
            "Link (pip install 'eutectic\\[link]').",
        ),
    ] = "internal",
    clock_out: Annotated[
        str | None,
        typer.Option(help="MIDI output to send a clock to: part of its name (default: none)."),
    ] = None,
    memory: Annotated[float, typer.Option(help="The engine's cache, in GiB.")] = 2.0,
    ready: Annotated[float, typer.Option(help="Memory for ready fusions, in GiB.")] = 1.0,
    stored: Annotated[float, typer.Option(help="Disk space for ready fusions, in GiB.")] = 8.0,
    spare: Annotated[
        bool,
        typer.Option(
            help="Keep a spare engine, which takes the place of one that dies in half a second; "
            "it takes 0.4 GiB of memory (default: where there is room)."
        ),
    ] = True,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Use the engine of another machine, where `eutectic engine --listen` runs "
            "(default: this machine's).",
        ),
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(help="Log level.")] = "info",
) -> None:
    """Run the daemon: receive OSC, fuse, play."""
    import asyncio

    from eutectic.link.remote import place
    from eutectic.link.spare import Spare
    from eutectic.osc.access import networks
    from eutectic.playback.presets import override, read_audio_preset
    from eutectic.session.kept import session_path

    for name, value, low, high in (
        ("port", port, 0, MAX_PORT), ("query", query or 0, 0, MAX_PORT),
        ("memory", memory, 0.001, 1e4), ("ready", ready, 0.001, 1e4),
        ("stored", stored, 0.001, 1e6),
    ):  # fmt: skip
        if not low <= value <= high:
            raise BadSetting(f"{name} must be {low:g} to {high:g}, not {value:g}")
    where = "" if engine is None else place(engine)
    page_port, beats = _page_port(page, port), _clock(clock)
    allowed, watching = networks(allow or []), networks(watch or [])
    data = data_folder().absolute()
    preset = read_audio_preset(audio, (data / "devices", presets_folder("devices")))
    opened = override(preset, device=device, rate=rate, channels=channels, block=block,
                      ring_ms=ring_ms, latency=latency, voices=voices)  # fmt: skip
    folders = _folders(clips, renders, data)
    kept = session_path(session, data / "sessions") if session is not None else None

    def settings() -> DaemonSettings:
        from eutectic.daemon import DaemonSettings
        from eutectic.playback.streams import DeviceSettings
        from eutectic.session.settings import SessionSettings

        return DaemonSettings(
            host, port,
            DeviceSettings(opened.device, opened.rate, opened.channels, opened.block,
                           opened.ring_ms / 1000, opened.latency),
            opened.voices,
            SessionSettings(model, compute, folders, data, kept,
                            _input(input_device, opened.device), _gib(memory), _gib(ready),
                            _gib(stored), beats, clock_out, where),
            _controllers(midi or [], controller or [], data / "controllers"),
            query, page_port, allowed, watching,
        )  # fmt: skip

    asyncio.run(_run(settings, Spare(spare and not where), log_level, not where))


def _input(device: str | None, output: str | None) -> str | None:
    """The input device; where no output device is used, none is by itself."""
    is_alone = output is not None and (output == "null" or output.startswith("file:"))
    return "off" if device is None and is_alone else device


async def _run(
    settings: Callable[[], DaemonSettings], spare: Spare, log_level: LogLevel, is_here: bool
) -> None:
    """Start the engine, whose imports take longest, and then import the daemon's parts.

    `is_here`: on this machine.
    """
    if is_here:
        await spare.begin()
    try:
        from eutectic.daemon import serve as serve_
        from eutectic.system.logs import logging_to_terminal

        with logging_to_terminal(log_level):
            await serve_(settings(), spare, functools.partial(print, flush=True))
    finally:
        await spare.stop()


def _folders(clips: list[Path] | None, renders: Path | None, data: Path) -> Folders:
    """The folders that are read and written; those of the user's data are made."""
    import platformdirs

    from eutectic.files.learned import LORAS
    from eutectic.session.folders import Folders, uploads_folder

    for given in (*(clips or ()), *([renders] if renders else ())):
        if not given.is_dir():
            raise BadInput(f"{given}: is not a folder")
    music = Path(platformdirs.user_music_dir()).resolve()
    is_all = Path.home().resolve().is_relative_to(music)  # as where there is no music folder
    read = clips or [data / "clips", *([music] if music.is_dir() and not is_all else ())]
    written = renders or data / "renders"
    uploads = uploads_folder(data)
    for folder in (read[0], written, uploads):
        make_folder(folder, parents=True)
    absolute = tuple(each.absolute() for each in (*read, uploads))
    loras = data / LORAS
    return Folders(absolute, written.absolute(), presets_folder("clips"), Path.home(), loras)


def _controllers(midi: list[str], maps: list[str], own: Path) -> tuple[Controller, ...]:
    """The requested controllers; maps of the user's own take precedence.

    What is learned on the second of two with one map is kept in a file of its own.
    """
    from eutectic.daemon import Controller
    from eutectic.files.toml import find

    controllers: list[Controller] = []
    used: Counter[str] = Counter()
    for number in range(max(len(midi), len(maps))):
        port = midi[number] if number < len(midi) else None
        name = maps[min(number, len(maps) - 1)] if maps else "generic"
        used[name] += 1
        path = find(name, (own, presets_folder("controllers")))
        kept = path if name == str(path) else own / path.name
        if used[name] > 1:
            kept = kept.with_stem(f"{kept.stem}-{used[name]}")
            path = kept if kept.exists() else path
        controllers.append(Controller(port, path, kept))
    return tuple(controllers)


def _page_port(page: str | None, osc_port: int) -> int | None:
    """The page's port; None if there is to be no page."""
    if page is None:
        return osc_port and min(osc_port + 2, MAX_PORT)
    if page == "off":
        return None
    if not page.isdecimal() or int(page) > MAX_PORT:
        raise BadSetting(f"page must be off, or a port from 0 to {MAX_PORT}, not {page}")
    return int(page)


def _clock(text: str) -> str:
    """The clock of an option, as `/tempo/clock` has it."""
    kind, _, name = text.partition(":")
    if kind not in ("internal", "midi", "link") or (name and kind != "midi"):
        raise BadSetting(f"clock must be internal, midi, midi:NAME or link, not {text!r}")
    if kind == "link" and importlib.util.find_spec("aalink") is None:
        raise BadSetting("clock: link needs aalink: pip install 'eutectic[link]'")
    return f"{kind} {name}".strip()


def _gib(size: float) -> int:
    return round(size * (1 << 30))
