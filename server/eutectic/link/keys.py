"""Keys of the wire between a daemon and an engine on another machine: ZeroMQ's CURVE.

The engine's machine has one secret key, and knows the public ones of the daemons that it lets in.
Each of these is made there, with its secret, and shown once: in one line that also holds the public
key of the engine's machine. The daemon's machine takes that line, and then both know each other.
Files with secrets can be read by their owner alone.
"""

from __future__ import annotations

import base64
import logging
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from eutectic.errors import BadInput, BadOutput
from eutectic.files.atomic import atomic_path

log = logging.getLogger("eutectic.link")

OWN, TAKEN = "engine-keys.json", "engine-keys-taken.json"
"""Of the data folder: the keys of its machine's engine, and those taken from other machines."""

PREFIX = "eutectic-engine-"
"""Of the line that is shown once."""

KEY_BYTES = 32


class OwnKeys(msgspec.Struct, frozen=True):
    """An engine machine's: its secret key, its public one, and those of daemons, all in Z85."""

    secret: str
    public: str
    daemons: tuple[str, ...] = ()


class Taken(msgspec.Struct, frozen=True):
    """What lets a daemon in: the engine machine's public key, and the daemon's secret one."""

    engine: str
    secret: str


@dataclass(frozen=True)
class Curve:
    """What a daemon's socket needs, in Z85."""

    engine: bytes
    public: bytes
    secret: bytes


def make(data: Path, anew: bool = False) -> str:
    """Keys for one more daemon; returns the line that its machine needs, which is kept nowhere.

    `anew`: those made before let nobody in any more. The machine's own stays, so that an engine
    that is listening takes the new one.

    Raises:
        BadOutput: the file can't be written.
        BadInput: it is damaged.
    """
    import zmq

    own = own_keys(data)
    if own is None:
        public, secret = (key.decode() for key in zmq.curve_keypair())
        own = OwnKeys(secret, public)
    public, secret = (key.decode() for key in zmq.curve_keypair())
    others = () if anew else own.daemons
    _write(data / OWN, msgspec.structs.replace(own, daemons=(*others, public)))
    return _line(Taken(own.public, secret))


def own_keys(data: Path) -> OwnKeys | None:
    """Those of this machine's engine; None if none were made.

    Raises:
        BadInput: the file is damaged.
    """
    return _read(data / OWN, OwnKeys)


def take(data: Path, line: str) -> None:
    """Take what another machine has shown.

    Raises:
        BadInput: it isn't that.
        BadOutput: it can't be kept.
    """
    taken = _taken(line.strip())
    others = [each for each in _all_taken(data) if each.engine != taken.engine]
    _write(data / TAKEN, [taken, *others])


def taken_keys(data: Path) -> list[Curve]:
    """What a daemon can open other machines' engines with, the newest first.

    Raises:
        BadInput: the file is damaged.
    """
    found = _all_taken(data)
    if not found:
        return []
    import zmq

    return [
        Curve(each.engine.encode(), zmq.curve_public(each.secret.encode()), each.secret.encode())
        for each in found
    ]


def _all_taken(data: Path) -> list[Taken]:
    return _read(data / TAKEN, list[Taken]) or []


def _line(taken: Taken) -> str:
    from zmq.utils import z85

    both = z85.decode(taken.engine.encode()) + z85.decode(taken.secret.encode())
    return PREFIX + base64.b32encode(both).decode().rstrip("=").lower()


def _taken(line: str) -> Taken:
    from zmq.utils import z85

    text = line.removeprefix(PREFIX).upper()
    try:
        both = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        both = b""
    if not line.startswith(PREFIX) or len(both) != 2 * KEY_BYTES:
        raise BadInput("that is no key: `eutectic engine keys` on the engine's machine shows one")
    engine, secret = (z85.encode(part).decode() for part in (both[:KEY_BYTES], both[KEY_BYTES:]))
    return Taken(engine, secret)


Kept = TypeVar("Kept")


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    try:
        _warn_of_others(path)
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError):
        raise BadInput(f"{path}: can't be read, or is damaged; delete it to start anew") from None


@cache
def _warn_of_others(path: Path) -> None:
    """Say so, once, if a file with secrets isn't its owner's alone.

    Raises:
        OSError: it isn't there.
    """
    if os.name == "posix" and path.stat().st_mode & 0o077:
        log.warning("%s: others can read these keys; chmod 600 keeps them out", path)


def _write(path: Path, keys: OwnKeys | list[Taken]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadOutput(f"{path.parent}: can't be created ({error.strerror})") from None
    with atomic_path(path, private=True) as temporary:
        temporary.write_bytes(msgspec.json.encode(keys))
