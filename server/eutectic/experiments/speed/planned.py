"""`python -m eutectic.experiments.speed.planned COUNT POOL WORKERS`: a run with simulated workers.

Everything but the sounds is as in `eutectic render`: the plan, its names and keys, the driver, the
pool and its processes. In a process of its own, so that its memory is the driver's alone. Prints
what it took, in JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from array import array
from dataclasses import dataclass
from pathlib import Path

from eutectic.config import Place, SamplingSettings
from eutectic.link.protocol import Source
from eutectic.rendering import driver, models, naming
from eutectic.rendering.gathering import Asked, Block, Gathered, Variant
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.plan import Plan, Survey, varied
from eutectic.rendering.pool import Pool, Reference, Setup
from eutectic.rendering.sounds import Heard
from eutectic.rendering.work import Row

MODULE = "eutectic.experiments.speed.planned"

BLENDS, SEEDS, REFERENCES = 5, 5, 20
"""Of each original; the originals make up the count."""


@dataclass
class Watched:
    """Sees a run: until when it planned, and when the first row and the last came."""

    planned_until: float = 0.0
    first: float = 0.0
    last: float = 0.0
    rows: int = 0

    def planned(self, done: int, total: int) -> None:  # noqa: ARG002 (a Shown)
        self.planned_until = time.perf_counter()

    def begun(self, survey: Survey, workers: int) -> None: ...

    def learned(self, reference: Reference, done: int, total: int) -> None: ...

    def made(self, row: Row) -> None:  # noqa: ARG002 (a Shown)
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self.rows += 1


def plan(count: int) -> Plan:
    """A plan of about so many fusions, of sounds that aren't there."""
    originals = max(1, count // (BLENDS * SEEDS * REFERENCES))
    sounds = originals + REFERENCES
    sections = [Source(f"/recordings/of some field/take {n:07d}.wav") for n in range(sounds)]
    heard = [Heard(f"{n:064x}", 6.0) for n in range(sounds)]
    places = tuple(Place((n + 1) / (BLENDS + 1)) for n in range(BLENDS))
    variants = [Variant("", SamplingSettings(seed), "match", places) for seed in range(SEEDS)]
    asked = [Asked(originals + n, f"reference {n}", None, None) for n in range(REFERENCES)]
    block = Block(array("I", range(originals)), tuple(range(REFERENCES)), tuple(range(SEEDS)))
    gathered = Gathered(sections, asked, variants, [block])
    template = naming.default_template(varied(gathered), ".flac")
    return Plan(gathered, heard, template, models.asked("toy", download=False))


def pool_of(kind: str, setup: Setup, workers: int, is_simulated: bool = False) -> Pool:
    """`processes`, or `ray` on this machine; simulated workers make nothing."""
    from eutectic.experiments.speed import simulated

    if kind == "ray":
        from eutectic.rendering.actor import Actor
        from eutectic.rendering.on_ray import OnRay

        return OnRay(setup, "local", workers, simulated.Simulated if is_simulated else Actor)
    from eutectic.rendering.processes import Processes

    module = {"module": simulated.MODULE} if is_simulated else {}
    return Processes(setup, workers, **module)


def main(count: int, kind: str, workers: int) -> None:
    begin, watched = time.perf_counter(), Watched()
    with tempfile.TemporaryDirectory() as temporary:
        driver.render(
            plan(count),
            LocalFolder(Path(temporary)),
            lambda: pool_of(kind, Setup("toy", temporary), workers, is_simulated=True),
            watched,
            lambda: False,
        )
    figures = {
        "count": watched.rows,
        "survey_seconds": watched.planned_until - begin,
        "run_seconds": watched.last - watched.first,
        "peak_bytes": _peak_bytes(),
    }
    print(json.dumps(figures))


def _peak_bytes() -> int:
    """The most memory of this program; `getrusage` begins with that of whoever started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (most,) = (line for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(most.split()[1])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
