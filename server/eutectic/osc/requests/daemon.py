"""Requests about the daemon itself."""

from typing import Annotated

from eutectic.osc import answers
from eutectic.osc.request import Answered, Request
from eutectic.osc.spec import MAX_PORT, Argument, Option


class Ping(Answered, frozen=True, kw_only=True):
    """Check that the daemon is running."""

    address = "/ping"


class Version(Answered, frozen=True, kw_only=True):
    """Report the daemon's version."""

    address = "/version"
    replies = (answers.VersionReply,)


class Status(Answered, frozen=True, kw_only=True):
    """Report the daemon's state, one line per item, then every voice."""

    address = "/status"
    replies = (answers.StatusReply, answers.VoiceReply)


class Sync(Answered, frozen=True, kw_only=True):
    """Answered once all earlier requests have started."""

    address = "/sync"
    replies = (answers.Synced,)


class Notify(Request, frozen=True, kw_only=True):
    """Send this client all there is, then what changes, as long as it sends something every 30 s.

    What it changes itself comes back to it, too, marked with its number.
    """

    address = "/notify"
    replies = (answers.Snapshot, answers.Sent)
    found = answers.Registered

    id: int = 0
    on: Annotated[int, Argument("int", "1 registers, 0 leaves", 0, 1)]
    reply_port: Annotated[
        int | None, Argument("int", "port of the same host that also receives replies", 1, MAX_PORT)
    ] = None
    meter: Annotated[int | None, Option("int", "1: levels, too", 0, 1)] = None
    log: Annotated[int | None, Option("int", "1: lines of the daemon's log, too", 0, 1)] = None
    name: Annotated[str | None, Option("text", "what others see it as")] = None


class ListModels(Answered, frozen=True, kw_only=True):
    """List the available models."""

    address = "/model/list"
    replies = (answers.Model,)


class SetModel(Answered, frozen=True, kw_only=True):
    """Switch to another model; what was learned with this one isn't for it.

    Where there is memory for both, this one makes fusions until the other is ready.
    """

    address = "/model/set"

    model: Annotated[str, Argument("text", "one of /model/list, or a Hub id")]


class PlaceEngine(Answered, frozen=True, kw_only=True):
    """Tell where the engine is; or have one on another machine, or on this one, take its place.

    What sounds plays on, and this one makes fusions until the other is ready.
    """

    address = "/engine/where"
    replies = (answers.Queued,)
    found = answers.EnginePlace

    place: Annotated[str | None, Argument("text", "HOST:PORT of `eutectic engine`, or local")] = (
        None
    )
