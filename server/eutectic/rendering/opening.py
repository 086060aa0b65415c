"""A destination by its address."""

from __future__ import annotations

from eutectic.errors import BadOutput
from eutectic.rendering.destination import Destination


def open_destination(url: str) -> Destination:
    """A folder of this machine, or an address such as `s3://bucket/folder`; nothing is made yet.

    Raises:
        BadOutput: it is a file, or its parent isn't there.
        BadInput: the address is of no kind that is known, or its packages aren't installed.
    """
    from eutectic.rendering.local import LocalFolder

    if "://" in url and not url.startswith("file://"):
        raise BadOutput(f"{url}: only folders can be written to")
    return LocalFolder.at(url)
