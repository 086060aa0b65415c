"""A Ray cluster: reached or started, what it has for workers, and what its errors mean."""

from __future__ import annotations

import os
import shlex
import signal
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError

from eutectic import environment
from eutectic.errors import BadInput, one_line
from eutectic.system.limits import processors

LOCAL = "local"

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


def connect(address: str, workers: int | None = None) -> None:
    """Join a cluster: `auto`, `HOST:PORT`, `ray://HOST:PORT`; `local` starts one on this machine.

    `workers`: for how many `local` is to have room.

    Raises:
        BadInput: there is none.
    """
    os.environ |= SETTINGS | os.environ
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options |= {"include_dashboard": False, "num_cpus": max(processors(), workers or 0)}
        if not environment.is_own():
            python = shlex.join(environment.command("")[:-1])
            options["runtime_env"] = {"py_executable": python}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise BadInput(f"{address}: no Ray cluster can be had there ({one_line(error)})") from None
    finally:
        signal.signal(signal.SIGTERM, handler)  # Ray has set its own


def share(compute: str | None, workers: int | None) -> Share:
    """Share what a cluster has now; `workers`: so many are wanted, more than it may have yet.

    Raises:
        BadInput: it has nothing to work with.
    """
    there = ray.cluster_resources()
    gpus, cpus = int(there.get("GPU", 0)), int(there.get("CPU", 0))
    is_on_gpu = gpus > 0 if compute is None else not compute.startswith("cpu")
    count = workers or (gpus if is_on_gpu else cpus)
    if not count:
        what = "GPU" if is_on_gpu else "processor"
        raise BadInput(f"the cluster has no {what} now; --workers N waits for them")
    return Share(count, max(1, cpus // count), int(is_on_gpu))


def reason(error: RayError) -> str:
    """How a worker was lost, for a sentence."""
    if isinstance(error, RayTaskError):
        return f"failed ({one_line(str(error.cause))})"
    if isinstance(error, OutOfMemoryError):
        return "took too much memory"
    if isinstance(error, NodeDiedError):
        return "was lost with its node"
    return "died"
