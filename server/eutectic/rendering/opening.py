"""A destination by its address."""

from __future__ import annotations

from eutectic.rendering.destination import Destination


def open_destination(url: str) -> Destination:
    """A folder of this machine, or an address such as `s3://bucket/folder`; nothing is made yet.

    Raises:
        BadOutput: it is a file, or its parent isn't there.
        BadInput: the address is of no kind that is known, or its packages aren't installed.
    """
    if "://" in url and not url.startswith("file://"):
        from eutectic.rendering.remote import RemoteFolder

        return RemoteFolder.at(url)
    from eutectic.rendering.local import LocalFolder

    return LocalFolder.at(url)
