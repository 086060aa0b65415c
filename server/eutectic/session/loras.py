"""LoRA files, as the engine's store has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eutectic.link.protocol import AddLora, LoraAdded
from eutectic.session.jobs import Jobs
from eutectic.session.pair import Reference
from eutectic.session.tickets import Refused


class Loras:
    """Has the engine take them; owned by the event loop."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def add(self, path: str, progress: Callable[[str, float], None]) -> LoraAdded:
        """Have a file in the store.

        Raises:
            Refused: it can't be used, or the engine has too much to do.
        """
        return await self._jobs.run(AddLora(0, path), LoraAdded, progress)

    async def again(self, reference: Reference) -> str | None:
        """Its key in a new engine, whose model may be another; None if it has nothing for that.

        The store has the LoRA of the same model, even if the file is gone.
        """
        facts = self._jobs.host.facts
        same = facts is not None and facts.digest == reference.model
        work = AddLora(0, reference.lora, reference.spec.lora if same else "")
        try:
            added = await self._jobs.run(work, LoraAdded, always=True)
        except Refused:
            return None
        return added.key


def prompt_of(path: str) -> str:
    """The words of a file's name."""
    return Path(path).stem.replace("_", " ").replace("-", " ")
