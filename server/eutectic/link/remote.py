"""An engine on another machine, as the daemon sees it."""

from __future__ import annotations

from pathlib import Path

from eutectic.errors import BadSetting
from eutectic.link.wire import Engine, Engines, Lost

MAX_PORT = 65535


def place(text: str) -> str:
    """A machine and a port, `HOST:PORT`; an IPv6 address is in brackets.

    Raises:
        BadSetting: it isn't one.
    """
    host, _, port = text.rpartition(":")
    is_port = port.isdecimal() and 0 < int(port) <= MAX_PORT
    if not host or not is_port or (":" in host and not host.startswith("[")):
        raise BadSetting(f"an engine's place is HOST:PORT, not {text!r}")
    return f"{host}:{int(port)}"


class Remote(Engines):
    """Engines of another machine, where `eutectic engine --listen` runs.

    `model`: its name, as there. `data`: the folder that keys are in. `digest`: what the model's
    must be; any, if empty.
    """

    def __init__(self, where: str, model: str, data: Path, digest: str = "") -> None:
        self.where = where
        self._model, self._data, self._digest = model, data, digest

    async def engine(self, beside: bool = False) -> Engine:  # noqa: ARG002
        raise Lost(f"nothing answers at {self.where}")
