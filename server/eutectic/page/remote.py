"""What browsers on other machines may not send.

The daemon takes the page for a client on this machine, which may name any file under its user's
home. A browser elsewhere is held to the folders that other machines' clients are held to.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from eutectic.errors import EutecticError
from eutectic.files import names
from eutectic.osc import table
from eutectic.osc.packets import Value
from eutectic.osc.request import Request
from eutectic.page.bridge import Refused
from eutectic.session.folders import BadPath, Folders

_WITH_PATHS = (
    table.LoadClip, table.LoadReference, table.Render, table.StartRecording, table.PackSession
)  # fmt: skip
_READ = (table.LoadClip, table.LoadReference)

_PLAYED = (
    table.Fuse, table.Scrub, table.Stop, table.Panic, table.ClearSchedule, table.SetVoice,
    table.SetMasterGain, table.PlayPad, table.GoLive, table.StopLive, table.Undo, table.Redo,
    table.Note, table.SetEnvelope, table.SetFilter, table.SetSend, table.FocusVoice,
    table.SetTempo, table.TapTempo, table.SetTransport, table.GrabClip, table.RecordClip,
    table.StopClip, table.KeepFavourite, table.PlayFavourite,
)  # fmt: skip
"""What a control may be given to send; the daemon trusts it, as it is plugged in here."""


async def checked(request: Request, values: list[Value], folders: Folders) -> list[Value]:
    """Check a request of a browser on another machine; returns its values for the daemon.

    A path that may lead out is the one that was checked, whole: the daemon would read `~` its way.

    Raises:
        Refused: it is for this machine's own clients.
    """
    try:
        if isinstance(request, _READ) and _leads_out(request.path):
            if request.path.startswith("~"):
                raise BadPath(f"{request.path}: ~ is for this machine's own clients")
            path = await asyncio.to_thread(folders.to_read, request.path)
            return _with_path(values, path)
        if isinstance(request, table.LearnMidi):
            _check_target(request.target)
        elif any(_leads_out(path) for path in _paths(request)):
            raise BadPath("a browser on another machine names files by their names alone")
    except EutecticError as error:
        raise Refused(error.code, str(error)) from None
    return values


def check_any(request: Request) -> None:
    """Check a request of any browser.

    Raises:
        Refused: it would have the daemon send to another program on this machine.
    """
    if isinstance(request, table.Notify) and request.reply_port is not None:
        raise Refused("not_allowed", "a browser has no reply port")


def _paths(request: Request) -> list[str]:
    if isinstance(request, _WITH_PATHS):
        return [request.path]
    if isinstance(request, table.SetDevice) and request.device.startswith("file:"):
        return [request.device.removeprefix("file:")]
    return []


def _leads_out(path: str) -> bool:
    """Whether a path may lead out of the folder that it is looked for in."""
    named = re.sub(r"^[^/:]{2,}:(?=/)", "", path)  # a volume, as Max writes it
    parts = (*PurePosixPath(named).parts, *PureWindowsPath(named).parts)
    absolute = PurePosixPath(named).is_absolute() or bool(PureWindowsPath(named).anchor)
    return absolute or ".." in parts or any(part.startswith("~") for part in parts)


def _with_path(values: Sequence[Value], path: Path) -> list[Value]:
    """The values of a request of _READ with this path, which may have been several of them."""
    options = (at for at, one in enumerate(values) if isinstance(one, str) and one.startswith("@"))
    return [*values[:2], names.text(path), *values[next(options, len(values)) :]]


def _check_target(target: str) -> None:
    """Check what a controller is to send.

    Raises:
        BadRequest: the table has no such request.
        Refused: it does more than play.
    """
    address = (target.split() or [""])[0]
    if table.spec_of(address).message not in _PLAYED:
        raise Refused("not_allowed", f"a browser on another machine gives no control {address}")
