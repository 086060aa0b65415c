"""The daemon: starting it, asking it, and what it is played with."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from eutectic.cli.app import Device, Model, app
from eutectic.cli.installing import install, shipped_folders, standard_targets, targets_under
from eutectic.cli.terminal import console, make_folders
from eutectic.config import data_folder
from eutectic.errors import BadInput, BadSetting
from eutectic.files.shipped import presets_folder
from eutectic.osc.table import PORT, spec_of

if TYPE_CHECKING:
    from eutectic.daemon import Controller

ANSWER_SECONDS = 5.0
"""A daemon that is there answers in this, whatever its engine does."""

DaemonHost = Annotated[str, typer.Option("--host", help="Where the daemon listens.")]
DaemonPort = Annotated[int, typer.Option("--port", help="Its port.")]
LogLevel = Literal["debug", "info", "warning", "error"]


@app.command()
def serve(
    model: Model = "embedded",
    compute: Device = None,
    device: Annotated[
        str | None,
        typer.Option(help="Output device by name, null, or file:PATH (default: the system's)."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="UDP and TCP port; 0 takes a free one.")] = PORT,
    query: Annotated[
        int | None, typer.Option(help="TCP port of OSCQuery (default: the next one); 0: none.")
    ] = None,
    clips: Annotated[
        Path | None, typer.Option(help="Folder that clips are read from (default: the user's).")
    ] = None,
    renders: Annotated[
        Path | None, typer.Option(help="Folder for what is written (default: the user's).")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(help="File that everything is kept in and brought back from, or its name."),
    ] = None,
    audio: Annotated[
        str, typer.Option(help="Preset of what follows: laptop, low, safe, or a file.")
    ] = "laptop",
    voices: Annotated[int | None, typer.Option(help="Voices, 1 to 16.")] = None,
    channels: Annotated[int | None, typer.Option(help="Outputs to open.")] = None,
    rate: Annotated[int | None, typer.Option(help="Hz (default: the device's own).")] = None,
    block: Annotated[int | None, typer.Option(help="Frames of the device's blocks.")] = None,
    ring_ms: Annotated[float | None, typer.Option(help="Sound mixed ahead.")] = None,
    latency: Annotated[
        str | None, typer.Option(help="Asked of the device: low, high, seconds.")
    ] = None,
    midi: Annotated[
        str | None, typer.Option(help="Controller: a part of its MIDI port's name.")
    ] = None,
    controller: Annotated[
        str | None, typer.Option(help="Map of its controls: a name or a file (default: generic).")
    ] = None,
    input_device: Annotated[
        str | None, typer.Option("--input", help="Device that clips are recorded from.")
    ] = None,
    memory: Annotated[float, typer.Option(help="GiB for what the engine keeps at hand.")] = 2.0,
    ready: Annotated[float, typer.Option(help="GiB for fusions that are ready.")] = 1.0,
    stored: Annotated[float, typer.Option(help="GiB on disk for fusions that are ready.")] = 8.0,
    log_level: Annotated[LogLevel, typer.Option(help="What is said here.")] = "info",
) -> None:
    """Be there for a performance: take OSC messages, fuse, and play."""
    import asyncio

    from eutectic.daemon import DaemonSettings, logging_to_terminal
    from eutectic.daemon import serve as serve_
    from eutectic.playback.presets import override, read_audio_preset
    from eutectic.playback.streams import DeviceSettings
    from eutectic.session.folders import Folders
    from eutectic.session.kept import session_path
    from eutectic.session.session import SessionSettings

    for name, value, low, high in (
        ("port", port, 0, 65_535), ("query", query or 0, 0, 65_535),
        ("memory", memory, 0.001, 1e4), ("ready", ready, 0.001, 1e4),
        ("stored", stored, 0.001, 1e6),
    ):  # fmt: skip
        if not low <= value <= high:
            raise BadSetting(f"{name} must be {low:g} to {high:g}, not {value:g}")
    data = data_folder().absolute()
    folders = Folders(
        (clips or data / "clips").absolute(), (renders or data / "renders").absolute(),
        presets_folder("clips"),
    )  # fmt: skip
    for folder, given in ((folders.clips, clips), (folders.renders, renders)):
        if given is not None and not folder.is_dir():
            raise BadInput(f"{given}: is not a folder")
        make_folders(folder)
    preset = read_audio_preset(audio, (data / "devices", presets_folder("devices")))
    opened = override(preset, device=device, rate=rate, channels=channels, block=block,
                      ring_ms=ring_ms, latency=latency, voices=voices)  # fmt: skip
    settings = DaemonSettings(
        host, port,
        DeviceSettings(opened.device, opened.rate, opened.channels, opened.block,
                       opened.ring_ms / 1000, opened.latency),
        opened.voices,
        SessionSettings(
            model, compute, folders, data,
            session_path(session, data / "sessions") if session is not None else None,
            input_device, _gib(memory), _gib(ready), _gib(stored),
        ),
        _controller(midi, controller, data / "controllers"),
        query,
    )  # fmt: skip
    with logging_to_terminal(log_level):
        asyncio.run(serve_(settings, functools.partial(print, flush=True)))


def _controller(midi: str | None, controller: str | None, own: Path) -> Controller | None:
    """The controller that was asked for: a map of the user's own comes before one that ships."""
    from eutectic.daemon import Controller
    from eutectic.files.toml import find

    if midi is None and controller is None:
        return None
    path = find(controller or "generic", (own, presets_folder("controllers")))
    return Controller(midi, path, path if controller == str(path) else own / path.name)


@app.command()
def status(host: DaemonHost = "127.0.0.1", port: DaemonPort = PORT) -> None:
    """Ask the daemon how it is."""
    from eutectic.client.sync import Client

    with Client(host, port) as client:
        for _, (_, what, text) in client.request("/status", timeout=ANSWER_SECONDS).lines:
            console.print(f"{what:20} {text}")


@app.command(context_settings={"ignore_unknown_options": True})
def send(
    address: Annotated[str, typer.Argument(help="A request of PROTOCOL.md, like /fuse.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Its arguments, without id; options as @key value.")
    ] = None,
    host: DaemonHost = "127.0.0.1",
    port: DaemonPort = PORT,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for its end.")] = 3600.0,
) -> None:
    """Send the daemon a request, print what it answers, and wait until it is done."""
    from eutectic.client.sync import Client, RequestFailed

    spec, values = spec_of(address), [_value(each) for each in arguments or []]
    with Client(host, port) as client:
        try:
            if spec.has_id:
                client.show = _print_message
                client.request(spec.address, *values, timeout=timeout)
            else:
                client.send(spec.address, *values)
                client.request("/sync", timeout=ANSWER_SECONDS)  # what is wrong comes before this
                for name, found in client.events():
                    _print_message(name, found)
                    if name == "/fail":
                        raise BadInput(found[3])
        except RequestFailed as error:
            raise BadInput(f"{error.code}: {error}") from None


@app.command()
def patches(
    install_: Annotated[
        bool, typer.Option("--install", help="Copy patches to where Pd and Max look for them.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="Folder to copy them to instead, each in one of its own.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what you changed, too; it is kept elsewhere.")
    ] = False,
) -> None:
    """Tell where patches and presets are, or copy them to Pure Data's and Max's own folders."""
    if not install_ and to is None:
        for name, folder in shipped_folders().items():
            console.print(f"{name:10} {folder}")
        return
    import platformdirs

    documents = Path(platformdirs.user_documents_dir())
    targets = standard_targets(documents, Path.home()) if to is None else targets_under(to)
    left_alone = False
    for target in targets:
        outcome = install(target, data_folder() / "replaced", force)
        console.print(f"{target.program}: {target.folder}: {outcome.in_words()}")
        left_alone |= outcome.left_alone
    if to is None and len(targets) == 1:
        console.print(f"Max: no folder of its own in {documents}; --to copies it elsewhere")
    if left_alone:
        raise typer.Exit(1)


@app.command()
def devices() -> None:
    """List audio devices and MIDI inputs, by the names that --device, --input and --midi take."""
    from rich.table import Table

    from eutectic.midi.ports import input_names
    from eutectic.playback.streams import list_devices

    table = Table(box=None, header_style="bold")
    for heading in ("device", "by", "outputs", "inputs", "Hz", ""):
        table.add_column(heading)
    for each in list_devices():
        default = "default" if each.default else ""
        table.add_row(
            each.name,
            each.host_api,
            str(each.outputs),
            str(each.inputs),
            str(each.rate_hz),
            default,
        )
    table.add_row("null", "", "any", "", "any", "plays nowhere")
    table.add_row("file:PATH", "", "any", "", "any", "plays into a WAV file")
    console.print(table)
    console.print(f"MIDI: {', '.join(input_names()) or 'none'}")


def _gib(size: float) -> int:
    return round(size * (1 << 30))


def _value(text: str) -> int | float | str:
    """A number where it is one, as patches send it."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _print_message(address: str, values: tuple[Any, ...]) -> None:
    console.print(" ".join((address, *(f"{each:g}" if isinstance(each, float) else str(each)
                                       for each in values))))  # fmt: skip
