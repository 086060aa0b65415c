"""How JACK's ports are connected, which rtmidi can't say; from its own copy of JACK's library."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from pathlib import Path

NO_START_SERVER = 1


@ctypes.CFUNCTYPE(None, ctypes.c_char_p)
def _ignore(_text: bytes) -> None:
    pass


@functools.cache
def library() -> ctypes.CDLL | None:
    """The JACK library that is loaded, kept from printing an error at every scan; None if none."""
    with contextlib.suppress(OSError, AttributeError):
        mapped = Path("/proc/self/maps").read_text().split()
        for path in {each for each in mapped if Path(each).name.startswith("libjack")}:
            found = ctypes.CDLL(path)
            found.jack_set_error_function(_ignore)
            found.jack_client_open.restype = ctypes.c_void_p
            found.jack_port_by_name.restype = ctypes.c_void_p
            found.jack_port_get_all_connections.restype = ctypes.POINTER(ctypes.c_char_p)
            return found
    return None


class Connections:
    """A client of JACK's that looks at connections, and plays no part in the sound."""

    def __init__(self, name: str) -> None:
        self._library, self._client = library(), None
        if self._library is not None:
            self._client = self._library.jack_client_open(name.encode(), NO_START_SERVER, None)

    def of(self, port: str) -> set[str] | None:
        """The ports that a port is connected to; None if that can't be known."""
        if self._library is None or self._client is None:
            return None
        client = ctypes.c_void_p(self._client)
        found = self._library.jack_port_by_name(client, port.encode())
        if found is None:
            return None
        names = self._library.jack_port_get_all_connections(client, ctypes.c_void_p(found))
        if not names:
            return set()
        connected: set[str] = set()
        for name in names:
            if name is None:
                break
            connected.add(name.decode(errors="replace"))
        self._library.jack_free(names)
        return connected

    def close(self) -> None:
        """Leave JACK."""
        if self._library is not None and self._client is not None:
            self._library.jack_client_close(ctypes.c_void_p(self._client))
        self._client = None
