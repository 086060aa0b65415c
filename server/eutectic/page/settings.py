"""What the daemon tells the page's process when it starts it: one line of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from eutectic.session.folders import Folders


class PageSettings(msgspec.Struct, frozen=True):
    """Where the page listens, its daemon, and what both know.

    Attributes:
        port: 0 for a free one.
        secret: signs the tokens of browsers on other machines; the page's next process is given
            the same.
        pin: such a browser must give once; empty if the page is for this machine alone.
        rate_hz: of the fusions that the daemon keeps.
    """

    host: str
    port: int
    osc_port: int
    secret: str
    pin: str
    data: Path
    folders: Folders
    rate_hz: int

    def line(self) -> bytes:
        """The settings as a line of JSON."""
        return msgspec.json.encode(self, enc_hook=_text) + b"\n"

    @property
    def osc_host(self) -> str:
        """Where the daemon is found from here."""
        return "127.0.0.1" if self.host == "0.0.0.0" else self.host

    @classmethod
    def read(cls, line: bytes) -> PageSettings:
        """The settings from a line of JSON.

        Raises:
            msgspec.ValidationError: it holds something else.
        """
        return msgspec.json.decode(line, type=cls, dec_hook=_path)


def _text(value: Any) -> str:
    assert isinstance(value, Path)
    return str(value)


def _path(_kind: type, value: Any) -> Path:
    return Path(value)
