"""Clips and references: what clients name, what the engine has of it, and how it gets there."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from eutectic.audio import check_clip
from eutectic.config import LearnSettings
from eutectic.link import protocol as link
from eutectic.link.protocol import Learn, Load, ReferenceSpec, Result, Source
from eutectic.midi.maps import PadState
from eutectic.osc import table as messages
from eutectic.playback.streams import record_input
from eutectic.session.folders import Folders, check_free
from eutectic.session.jobs import Clip, Jobs, Reference
from eutectic.session.presets import Preset
from eutectic.session.tickets import Refused, Ticket

RECORD_PROGRESS_SECONDS = 0.25

Values = dict[str, Any]


class Library:
    """All clips and references; owned by the event loop.

    Attributes:
        clips, references: by name, as far as they are there.
        input_device: that clips are recorded from; None is the system's own.
    """

    def __init__(
        self, jobs: Jobs, folders: Folders, input_device: str | None, changed: Callable[[], None]
    ) -> None:
        self._jobs, self._folders, self._changed = jobs, folders, changed
        self.input_device = input_device
        self.clips: dict[str, Clip] = {}
        self.references: dict[str, Reference] = {}
        self.given = asyncio.Event()
        """Set while the engine knows all of them; cleared when it dies."""
        self.given.set()
        self._coming: dict[str, asyncio.Event] = {}
        """Clips that are being loaded: set when that is over."""
        self._learning: dict[str, int] = {}
        """How many learnings of a reference are under way."""

    async def clip(self, name: str) -> Clip:
        """A clip; one that is being loaded is waited for.

        Raises:
            Refused: there is none of this name (`unknown_clip`).
        """
        while name in self._coming:
            await self._coming[name].wait()
        if name not in self.clips:
            raise Refused("unknown_clip", f"there is no clip {name}; /clip/load makes one")
        return self.clips[name]

    def reference(self, name: str) -> Reference:
        """A reference.

        Raises:
            Refused: there is none of this name (`unknown_reference`), it is still being learned
                (`not_ready`), or was learned by another model (`stale_reference`).
        """
        if name not in self.references:
            if name in self._learning:
                raise Refused("not_ready", f"reference {name} is still being learned")
            raise Refused(
                "unknown_reference", f"there is no reference {name}; /reference/learn makes one"
            )
        if self._is_stale(self.references[name]):
            raise Refused(
                "stale_reference", f"reference {name} is another model's; learn it with this one"
            )
        return self.references[name]

    def state(self, original: str, reference: str) -> PadState:
        """Whether a fusion of these could begin."""
        if original in self._coming or reference in self._learning:
            return "working"
        there = original in self.clips and reference in self.references
        return "ready" if there and not self._is_stale(self.references[reference]) else "off"

    def _is_stale(self, reference: Reference) -> bool:
        facts = self._jobs.host.facts
        return facts is not None and facts.digest != reference.model

    # Requests

    async def load(self, ticket: Ticket, values: Values) -> None:
        path = self._folders.to_read(values["path"])
        source = Source(str(path), values.get("start", 0.0), values.get("duration"))
        self._jobs.check_room()
        with self._is_coming(values["clip"]):
            await asyncio.to_thread(check_clip, path)
            ticket.queued()
            await self._load(ticket, values["clip"], source)

    async def bring(self, ticket: Ticket, preset: Preset) -> None:
        """Load and learn what a preset names and isn't there; nothing, if a file is missing."""
        sources: dict[str, Source] = {}
        for each in preset.clips:
            path = self._folders.to_read(each.path)
            await asyncio.to_thread(check_clip, path)
            sources[each.name] = Source(str(path), each.start, each.duration)
        for each in preset.references:
            if each.clip not in sources:
                await self.clip(each.clip)
        for name, source in sources.items():
            if name not in self.clips or self.clips[name].source != source:
                with self._is_coming(name):
                    await self._load(ticket, name, source)
        for each in preset.references:
            with self._is_learning(each.name):
                await self._learn(ticket, each.name, each.clip, each.prompt, each.settings)

    async def record(self, ticket: Ticket, values: Values) -> None:
        name, seconds = values["clip"], values["seconds"]
        self._jobs.check_room()
        stamp = time.strftime("%Y-%m-%d-%H%M%S")
        path = self._folders.to_write(f"recorded-{name}-{stamp}.wav")
        await self._capture(ticket, path, seconds)
        ticket.queued()
        with self._is_coming(name):
            await self._load(ticket, name, Source(str(path)))

    async def free(self, ticket: Ticket, values: Values) -> None:
        await self.clip(values["clip"])
        del self.clips[values["clip"]]
        self._changed()

    async def list(self, ticket: Ticket, values: Values) -> None:
        for clip in self.clips.values():
            path = Path(clip.source.path)
            for folder in (self._folders.clips, self._folders.shipped or self._folders.clips):
                with contextlib.suppress(ValueError):
                    path = path.relative_to(folder)
            ticket.answer("/clip", ticket.id, clip.name, path.as_posix(), clip.seconds)

    async def learn(self, ticket: Ticket, values: Values) -> None:
        name, settings = values["reference"], messages.learning(values)
        self._jobs.check_room()
        with self._is_learning(name):
            await self.given.wait()
            await self.clip(values["clip"])
            ticket.queued()
            steps = await self._learn(ticket, name, values["clip"], values["prompt"], settings)
        ticket.done(steps)

    async def free_reference(self, ticket: Ticket, values: Values) -> None:
        if values["reference"] not in self.references:
            self.reference(values["reference"])  # says what is wrong
        del self.references[values["reference"]]
        self._changed()

    async def list_references(self, ticket: Ticket, values: Values) -> None:
        for each in self.references.values():
            state = "stale" if self._is_stale(each) else "ready"
            prompt = each.known.prompt
            ticket.answer("/reference", ticket.id, each.name, each.clip, prompt, state)
        for name in self._learning:
            if name not in self.references:
                ticket.answer("/reference", ticket.id, name, "", "", "learning")

    # The engine has just come, and knows nothing yet

    async def give_again(self) -> None:
        """Give an engine that has just come the clips, and the sources of references."""
        sources = {clip.key: clip.source for clip in self.clips.values()}
        sources |= {each.known.clip: each.source for each in self.references.values()}
        given = await asyncio.gather(*(self._give(key, source) for key, source in sources.items()))
        facts = self._jobs.host.facts
        found = {key: done.found for key, done in given if done is not None}
        for name, clip in list(self.clips.items()):
            if clip.key in found and facts is not None:
                self.clips[name] = _clip(name, clip.source, found[clip.key], facts)
        self.given.set()
        self._changed()

    async def _give(self, key: str, source: Source) -> tuple[str, link.Done | None]:
        try:
            return key, await self._jobs.run(Load(0, source, key or None), always=True)
        except Refused:  # it stays known: its file may come back
            return key, None

    # Parts

    async def _learn(
        self, ticket: Ticket, name: str, clip_name: str, prompt: str, settings: LearnSettings
    ) -> int:
        """Learn a reference; returns after how many steps."""
        await self.given.wait()
        clip = await self.clip(clip_name)
        known = ReferenceSpec(clip.key, prompt, settings)
        done = await self._jobs.run(Learn(0, known), _forward(ticket))
        assert self._jobs.host.facts is not None
        self.references[name] = Reference(
            name, clip.name, clip.source, known, self._jobs.host.facts.digest
        )
        self._changed()
        return done.found["steps"]

    async def _load(self, ticket: Ticket, name: str, source: Source) -> None:
        done = await self._jobs.run(Load(0, source), _forward(ticket))
        assert self._jobs.host.facts is not None
        self.clips[name] = _clip(name, source, done.found, self._jobs.host.facts)
        self._changed()

    async def _capture(self, ticket: Ticket, path: Path, seconds: float) -> None:
        """Record the input device; a recording that is given up leaves nothing."""
        check_free(path)
        give_up: list[Callable[[], None]] = []
        recording = asyncio.ensure_future(
            asyncio.to_thread(record_input, self.input_device, seconds, path, give_up.append)
        )
        began = time.monotonic()
        try:
            while not recording.done():
                await asyncio.wait([recording], timeout=RECORD_PROGRESS_SECONDS)
                elapsed = time.monotonic() - began
                ticket.progress("record", min(1.0, elapsed / seconds))
            recording.result()
        except BaseException:
            for stop in give_up:
                stop()
            await asyncio.wait([recording])
            path.unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _is_coming(self, name: str) -> Generator[None]:
        event = self._coming[name] = asyncio.Event()
        try:
            yield
        finally:
            event.set()
            if self._coming.get(name) is event:
                del self._coming[name]

    @contextlib.contextmanager
    def _is_learning(self, name: str) -> Generator[None]:
        self._learning[name] = self._learning.get(name, 0) + 1
        try:
            yield
        finally:
            self._learning[name] -= 1
            if not self._learning[name]:
                del self._learning[name]


def _clip(name: str, source: Source, found: dict[str, Any], facts: link.ModelFacts) -> Clip:
    return Clip(name, source, found["key"], found["frames"], facts.rate_hz, found["loudness_lufs"])


def _forward(ticket: Ticket) -> Callable[[Result], None]:
    """Tell a client of its job's progress."""

    def heard(result: Result) -> None:
        if isinstance(result, link.Progress):
            ticket.progress(result.stage, result.fraction)

    return heard
