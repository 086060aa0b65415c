"""`eutectic devices`."""

from __future__ import annotations

from eutectic.cli.terminal import console


def devices() -> None:
    """List audio devices and MIDI inputs.

    The names are those that `serve --device`, `--input` and `--midi` accept.
    """
    from rich.table import Table

    from eutectic.midi.ports import input_names
    from eutectic.playback.streams import list_devices

    table = Table(box=None, header_style="bold")
    for heading in ("device", "API", "outputs", "inputs", "Hz", ""):
        table.add_column(heading)
    for each in list_devices():
        table.add_row(
            each.name, each.host_api, str(each.outputs), str(each.inputs), str(each.rate_hz),
            "default" if each.default else "",
        )  # fmt: skip
    table.add_row("null", "", "any", "", "any", "discards the sound")
    table.add_row("file:PATH", "", "any", "", "any", "writes a WAV file")
    console.print(table)
    console.print(f"MIDI: {', '.join(input_names()) or 'none'}")
