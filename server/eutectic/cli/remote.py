"""`eutectic send` and `eutectic status`: talking to the daemon."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from eutectic.cli import options
from eutectic.cli.terminal import console, print_json
from eutectic.errors import BadInput, BadSetting
from eutectic.osc.parse import help_of, number_or_word
from eutectic.osc.spec import PORT, Spec, flatten
from eutectic.osc.table import Cancel, RecordClip, StopClip, spec_of

if TYPE_CHECKING:
    from eutectic.client.sync import Client
    from eutectic.osc.answers import Answer
    from eutectic.osc.packets import Value

ANSWER_SECONDS = 5.0
"""The daemon answers within this time, whatever its engine is doing."""

SHOW_SECONDS = 24 * 3600.0
"""No show is longer."""

DaemonHost = Annotated[str, typer.Option("--host", help="Where the daemon runs.")]
DaemonPort = Annotated[int, typer.Option("--port", help="The daemon's port.")]


def status(
    host: DaemonHost = "127.0.0.1", port: DaemonPort = PORT, json: options.Json = False
) -> None:
    """Show the daemon's status."""
    from eutectic.client.sync import Client

    with Client(host, port, timeout=ANSWER_SECONDS) as client:
        found = client.status()
    if json:
        voices = [_values(voice) for voice in found.voices]
        print_json({"lines": found.lines, "voices": voices})
        return
    for what, text in found.lines.items():
        console.print(f"{what:20} {text}")


def send(
    address: Annotated[
        str | None, typer.Argument(help="A request from PROTOCOL.md, such as /fuse.")
    ] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="Its arguments, without the id; options as @key value."),
    ] = None,
    host: DaemonHost = "127.0.0.1",
    port: DaemonPort = PORT,
    timeout: Annotated[
        float, typer.Option(help="How long to wait until it is done, in seconds.")
    ] = 3600.0,
    json: Annotated[
        bool, typer.Option("--json", help="Print the replies as JSON, one a line.")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(help="Play a show again: the file that was written beside a recording."),
    ] = None,
) -> None:
    """Send the daemon a request and print its replies.

    Returns once the request is done. Ctrl-C cancels it; a recording it ends, and keeps.
    """
    from eutectic.client.replies import RequestFailed
    from eutectic.client.sync import Client
    from eutectic.osc.answers import Fail

    if (address is None) == (replay is None):
        raise BadSetting("give a request, or --replay FILE")
    if replay is not None:  # a file here, or one that the daemon knows by this name
        timeout = max(timeout, SHOW_SECONDS)
        address, arguments = "/replay", [str(replay.absolute() if replay.exists() else replay)]
    spec = spec_of(address or "")
    values = [number_or_word(each) for each in arguments or []]
    show = _printing(spec, json)
    with Client(host, port) as client:
        try:
            if spec.has_id:
                client.on_answer = show
                _request(client, spec.address, values, timeout)
            else:
                client.send(spec.address, *values)
                client.request("/sync", timeout=ANSWER_SECONDS)  # a failure comes before its reply
                for answer in client.events():
                    show(answer)
                    if isinstance(answer, Fail):
                        raise RequestFailed(answer.code, answer.text)
        except RequestFailed as error:
            if json:  # it has been printed
                raise typer.Exit(2) from None
            raise BadInput(f"{error.code}: {error}") from None


def _request(client: Client, address: str, values: list[Value], timeout: float) -> None:
    """Send a request and wait until it is done.

    Ctrl-C cancels it; a recording it ends, which then becomes a clip as usual.
    """
    from eutectic.client.replies import RequestFailed

    number = client.begin(address, *values)
    try:
        if address == RecordClip.address:
            with contextlib.suppress(KeyboardInterrupt):
                client.end(address, number, timeout)
                return
            client.begin(StopClip.address, values[0])
        client.end(address, number, timeout)
    except KeyboardInterrupt:
        client.on_answer = None
        with contextlib.suppress(RequestFailed):  # it has just ended
            client.request(Cancel.address, number, timeout=ANSWER_SECONDS)
        raise


def print_help_of_request(arguments: list[str]) -> bool:
    """Of `send /fuse --help`, print /fuse's own help; False for anything else.

    Raises:
        BadRequest: there is no such request.
    """
    command, *words = arguments or [""]
    addresses = [word for word in words if word.startswith("/")]
    if command != "send" or not addresses or not {"-h", "--help"} & set(words):
        return False
    for line in help_of(spec_of(addresses[0])):
        print(line)
    return True


def _printing(spec: Spec, json: bool) -> Callable[[Answer], None]:
    """Prints an answer to a request, as words or as JSON."""
    from eutectic.client.replies import outcome
    from eutectic.osc.answers import Done, Fail

    def print_words(answer: Answer) -> None:
        if isinstance(answer, Fail):
            return  # it becomes the command's one line
        words = (f"{each:g}" if isinstance(each, float) else str(each) for each in flatten(answer))
        console.print(" ".join((answer.address, *words)).strip())

    def print_values(answer: Answer) -> None:
        values = {"address": answer.address} | _values(answer)
        if isinstance(answer, Done):  # with names for what it reports
            values["found"] = msgspec.to_builtins(outcome(spec.address, answer, []).found)
        print_json(values)

    return print_values if json else print_words


def _values(answer: Answer) -> dict[str, Any]:
    """An answer's fields, without the request's number, which says nothing here."""
    values: dict[str, Any] = msgspec.to_builtins(answer)
    return {name: values[name] for name in values if name != "id"}
