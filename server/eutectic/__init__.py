"""Eutectic fuses two sounds into a third with diffusion inversion.

`Client` and `AsyncClient` play the daemon from scripts and notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eutectic.client.aio import AsyncClient
    from eutectic.client.replies import NoAnswer, Reply, RequestFailed
    from eutectic.client.sync import Client

__all__ = ["AsyncClient", "Client", "NoAnswer", "Reply", "RequestFailed"]


def __getattr__(name: str) -> Any:
    """Imported on first use: the engine's process needs no client."""
    if name not in __all__:
        raise AttributeError(f"module 'eutectic' has no attribute {name!r}")
    from eutectic.client import aio, replies, sync

    return getattr({"AsyncClient": aio, "Client": sync}.get(name, replies), name)
