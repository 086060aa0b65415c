"""What this machine's store has, given to an engine on another machine, which has its own.

Sound files go over with the jobs that name them. What can't be made again of those goes over here:
what was learned of a reference, and what was kept of a file that is gone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eutectic.files import tensors
from eutectic.link.protocol import Adopt, Done, ModelFacts, ReferenceSpec
from eutectic.link.stored import Kind, reference_keys, stored_path
from eutectic.session.jobs import Jobs
from eutectic.session.tickets import Refused


class Carrier:
    """Carries files of the store at `data`; owned by the event loop."""

    def __init__(self, jobs: Jobs, data: Path) -> None:
        self._jobs, self._data = jobs, data

    async def clip(self, key: str) -> bool:
        """Give the engine an encoded clip; returns whether it has that now."""
        return await self._give("clip", key)

    async def lora(self, key: str) -> bool:
        """Give it a LoRA, by its key in the store."""
        return await self._give("reference", key)

    async def reference(self, spec: ReferenceSpec, audio: str, facts: ModelFacts) -> None:
        """Give it what was learned of a reference, whose clip's samples have this digest."""
        assert spec.settings is not None
        method, steps = spec.settings.method, spec.settings.steps
        settled = replace(
            spec.settings, method=method or facts.learn_method, steps=steps or facts.learn_steps
        )
        for key in reference_keys(facts.digest, audio, spec.prompt, settled):
            await self._give("reference", key)

    def forget(self, keys: tuple[str, ...]) -> None:
        """Delete here, too, what the engine has deleted.

        Raises:
            BadOutput: it can't be deleted.
        """
        if self._is_away:
            for key in keys:
                tensors.delete(stored_path(self._data, "reference", key))

    @property
    def _is_away(self) -> bool:
        return bool(self._jobs.host.engines.where)

    async def _give(self, kind: Kind, key: str) -> bool:
        path = stored_path(self._data, kind, key)
        if not self._is_away or not path.exists():
            return False
        try:
            await self._jobs.run(Adopt(0, kind, key, str(path)), Done, always=True)
        except Refused:
            return False
        return True
