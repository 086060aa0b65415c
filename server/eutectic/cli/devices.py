"""`eutectic devices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eutectic.cli import options
from eutectic.cli.terminal import console, print_json, print_table

if TYPE_CHECKING:
    from eutectic.playback.replies import DeviceInfo


def devices(json: options.Json = False) -> None:
    """List audio devices and MIDI inputs.

    The names are those that `serve --device`, `--input` and `--midi` accept.
    """
    import msgspec

    from eutectic.midi.ports import input_names
    from eutectic.playback.streams import list_devices

    found, midi = list_devices(), input_names()
    if json:
        print_json({"devices": msgspec.to_builtins(found), "midi": midi})
        return
    print_devices(found)
    console.print(f"MIDI: {', '.join(midi) or 'none'}")


def print_devices(found: list[DeviceInfo]) -> None:
    """Print a row for each device, its name whole."""
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("device", "API", "outputs", "inputs", "Hz", ""):
        table.add_column(heading)
    for each in found:
        table.add_row(
            each.name, each.host_api, str(each.outputs), str(each.inputs), str(each.rate_hz),
            "default" if each.default else "",
        )  # fmt: skip
    table.add_row("null", "", "any", "", "any", "discards the sound")
    table.add_row("file:PATH", "", "any", "", "any", "writes a WAV file")
    print_table(table)
