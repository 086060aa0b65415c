"""A Ray cluster: reached or started, what it has for workers, and what its errors mean.

Ray takes a second to import, and is imported when a cluster is connected to.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import signal
import socket
from dataclasses import dataclass
from typing import Any

from eutectic import environment
from eutectic.errors import BadInput, BadSetting, one_line
from eutectic.system.limits import processors

LOCAL = "local"

ADDRESS = re.compile(r"local|auto|(ray://)?(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}")

REACH_SECONDS = 5.0
"""In which a cluster's head must take a connection."""

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anyone
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # workers run with this Python, whatever started it
}


@dataclass(frozen=True)
class Share:
    """How many workers there are to be, and what each has to itself."""

    workers: int
    processors: int
    gpus: int


def check(address: str) -> None:
    """Check, before any work, that there may be a cluster at this address.

    Raises:
        BadInput: it is no address, or Ray isn't installed.
    """
    if not ADDRESS.fullmatch(address):
        raise BadSetting(
            f"ray: {address!r} is no address; local, auto, HOST:PORT or ray://HOST:PORT are"
        )
    if importlib.util.find_spec("ray") is None:
        raise BadInput("Ray isn't installed; this installs it: pip install 'eutectic[ray]'")


def connect(address: str, workers: int | None = None) -> None:
    """Join a cluster: `auto`, `HOST:PORT`, `ray://HOST:PORT`; `local` starts one on this machine.

    `workers`: for how many `local` is to have room.

    Raises:
        BadInput: there is none.
    """
    check(address)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray
    from ray._private import worker  # which has no switch for its messages

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options |= {"include_dashboard": False, "num_cpus": max(processors(), workers or 0)}
        options["_node_ip_address"] = "127.0.0.1"
        if not environment.is_own():
            python = shlex.join(environment.command("")[:-1])
            options["runtime_env"] = {"py_executable": python}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        _reach(address)
        ray.init(address, **options)
    except Exception as error:  # of many kinds, of its own and of its parts
        text = one_line(str(error)) or type(error).__name__
        raise BadInput(f"{address}: no Ray cluster can be had there ({text})") from None
    finally:
        signal.signal(signal.SIGTERM, handler)  # Ray has set its own
    worker.__dict__["_worker_logs_enabled"] = False  # on lost workers, into the progress bar


def _reach(address: str) -> None:
    """Look whether anything listens there: Ray itself tries for minutes, and ends the process.

    Raises:
        OSError: nothing does.
        OverflowError: there is no such port.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:  # else it isn't a place
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()


def share(compute: str | None, workers: int | None) -> Share:
    """Share what a cluster has now; `workers`: so many are wanted, more than it may have yet.

    Raises:
        BadInput: it has nothing to work with.
    """
    import ray

    there = ray.cluster_resources()
    gpus, cpus = int(there.get("GPU", 0)), int(there.get("CPU", 0))
    is_on_gpu = gpus > 0 if compute is None else not compute.startswith("cpu")
    count = workers or (gpus if is_on_gpu else cpus)
    if not count:
        what = "GPU" if is_on_gpu else "processor"
        raise BadInput(f"the cluster has no {what} now; --workers N waits for as many")
    return Share(count, max(1, cpus // count), int(is_on_gpu))


def reason(error: Exception) -> str:
    """How a worker was lost, for a sentence."""
    from ray.exceptions import OutOfMemoryError, RayTaskError

    if isinstance(error, RayTaskError):
        return f"failed ({one_line(str(error.cause))})"
    if isinstance(error, OutOfMemoryError):
        return "took too much memory"
    return "was lost"
