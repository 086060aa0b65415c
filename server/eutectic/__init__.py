"""Eutectic fuses two sounds into a third with diffusion inversion.

`Client` and `AsyncClient` play the daemon from scripts and notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eutectic.client.aio import AsyncClient
    from eutectic.client.sync import Client, NoAnswer, Reply, RequestFailed

__all__ = ["AsyncClient", "Client", "NoAnswer", "Reply", "RequestFailed"]


def __getattr__(name: str) -> Any:
    """Imported when it is wanted: the engine's process needs no client."""
    if name not in __all__:
        raise AttributeError(f"module 'eutectic' has no attribute {name!r}")
    from eutectic.client import aio as async_client
    from eutectic.client import sync as client

    return getattr(async_client if name == "AsyncClient" else client, name)
