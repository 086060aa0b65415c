"""What browsers on other machines may not send.

The daemon takes the page for a client on this machine, which may name any file under its user's
home. A browser elsewhere is held to the folders that other machines' clients are held to.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import PurePosixPath, PureWindowsPath

from eutectic.errors import EutecticError
from eutectic.osc import table
from eutectic.osc.request import Request
from eutectic.osc.spec import BadRequest
from eutectic.page.bridge import Refused
from eutectic.session.folders import BadPath, Folders

_WITH_PATHS = (
    table.LoadClip, table.LoadReference, table.Render, table.StartRecording, table.PackSession
)  # fmt: skip
_READ = (table.LoadClip, table.LoadReference)


async def check_remote(request: Request, folders: Folders) -> None:
    """Check a request of a browser on another machine.

    Raises:
        Refused: it is for this machine's own clients.
    """
    try:
        if isinstance(request, _READ) and _leads_out(request.path):
            await asyncio.to_thread(folders.to_read, request.path)
        elif isinstance(request, table.LearnMidi):
            _check_target(request.target)
        elif any(_leads_out(path) for path in _paths(request)):
            raise BadPath("a browser on another machine names files by their names alone")
    except EutecticError as error:
        raise Refused(error.code, str(error)) from None


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
    return absolute or ".." in parts or named.startswith("~")


def _check_target(target: str) -> None:
    """Check what a controller is to send, which the daemon trusts as it is plugged in here.

    Raises:
        BadPath: it would name a file.
    """
    address, *rest = target.split() or [""]
    try:
        kind = table.spec_of(address).message
    except BadRequest:  # the daemon says so
        return
    if issubclass(kind, _WITH_PATHS) or any(word.startswith("file:") for word in rest):
        raise BadPath("a browser on another machine can't have a control name a file")
