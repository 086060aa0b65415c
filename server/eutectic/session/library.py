"""Clips and references: what clients named, loaded and learned, and what the engine has of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from pathlib import Path

from eutectic.audio import check_clip
from eutectic.config import LearnSettings, PadState
from eutectic.link.protocol import Learn, Learned, Load, Loaded, ModelFacts, ReferenceSpec, Source
from eutectic.osc import answers, table
from eutectic.playback.streams import record_input
from eutectic.session import options
from eutectic.session.folders import Folders, check_free
from eutectic.session.jobs import Jobs
from eutectic.session.pair import Clip, Reference
from eutectic.session.presets import Preset
from eutectic.session.tickets import Refused, Ticket

RECORD_PROGRESS_SECONDS = 0.25


class Library:
    """All clips and references; owned by the event loop.

    Attributes:
        clips, references: by name, once they are loaded or learned.
        input_device: that clips are recorded from; None is the system's default.
        engine_synced: set while the engine has all of them; cleared when it dies.
    """

    def __init__(
        self, jobs: Jobs, folders: Folders, input_device: str | None, changed: Callable[[], None]
    ) -> None:
        self._jobs, self._folders, self._changed = jobs, folders, changed
        self.input_device = input_device
        self.clips: dict[str, Clip] = {}
        self.references: dict[str, Reference] = {}
        self.engine_synced = asyncio.Event()
        self.engine_synced.set()
        self._loading: dict[str, asyncio.Event] = {}
        """Clips that are being loaded; the event is set at the end."""
        self._learning: dict[str, int] = {}
        """How many times a reference is being learned at the moment."""

    async def clip(self, name: str) -> Clip:
        """A clip by its name, after waiting for one that is being loaded.

        Raises:
            Refused: there is none (`unknown_clip`).
        """
        while name in self._loading:
            await self._loading[name].wait()
        if name not in self.clips:
            raise Refused("unknown_clip", f"there is no clip {name}; /clip/load loads one")
        return self.clips[name]

    def reference(self, name: str) -> Reference:
        """A reference by its name.

        Raises:
            Refused: there is none (`unknown_reference`), it is still being learned (`not_ready`),
                or another model learned it (`stale_reference`).
        """
        if name not in self.references:
            if name in self._learning:
                raise Refused("not_ready", f"reference {name} is still being learned")
            raise Refused(
                "unknown_reference", f"there is no reference {name}; /reference/learn learns one"
            )
        if self._is_stale(self.references[name]):
            raise Refused(
                "stale_reference", f"reference {name} was learned by another model; learn it again"
            )
        return self.references[name]

    def state(self, original: str, reference: str) -> PadState:
        """Whether a fusion of these could start."""
        if original in self._loading or reference in self._learning:
            return "working"
        known = original in self.clips and reference in self.references
        return "ready" if known and not self._is_stale(self.references[reference]) else "off"

    def _is_stale(self, reference: Reference) -> bool:
        facts = self._jobs.host.facts
        return facts is not None and facts.digest != reference.model

    # Requests

    async def load(self, ticket: Ticket, request: table.LoadClip) -> None:
        path = self._folders.to_read(request.path)
        source = Source(str(path), request.start or 0.0, request.duration)
        self._jobs.check_room()
        with self._is_loading(request.clip):
            await asyncio.to_thread(check_clip, path)
            ticket.queued()
            await self._load(ticket, request.clip, source)

    async def load_preset(self, ticket: Ticket, preset: Preset) -> None:
        """Load and learn what a preset names; nothing if one of its files is missing."""
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
                with self._is_loading(name):
                    await self._load(ticket, name, source)
        for each in preset.references:
            with self._is_learning(each.name):
                await self._learn(ticket, each.name, each.clip, each.prompt, each.settings)

    async def record(self, ticket: Ticket, request: table.RecordClip) -> None:
        name = request.clip
        self._jobs.check_room()
        stamp = time.strftime("%Y-%m-%d-%H%M%S")
        path = self._folders.to_write(f"recorded-{name}-{stamp}.wav")
        await self._capture(ticket, path, request.seconds)
        ticket.queued()
        with self._is_loading(name):
            await self._load(ticket, name, Source(str(path)))

    async def free(self, _ticket: Ticket, request: table.FreeClip) -> None:
        await self.clip(request.clip)
        del self.clips[request.clip]
        self._changed()

    async def list(self, ticket: Ticket, _request: table.ListClips) -> None:
        for clip in self.clips.values():
            path = Path(clip.source.path)
            for folder in (self._folders.clips, self._folders.shipped or self._folders.clips):
                with contextlib.suppress(ValueError):
                    path = path.relative_to(folder)
            ticket.reply(answers.Clip(ticket.id, clip.name, path.as_posix(), clip.seconds))

    async def learn(self, ticket: Ticket, request: table.Learn) -> None:
        settings = options.learning(request)
        self._jobs.check_room()
        with self._is_learning(request.reference):
            await self.engine_synced.wait()
            await self.clip(request.clip)
            ticket.queued()
            steps = await self._learn(
                ticket, request.reference, request.clip, request.prompt, settings
            )
        ticket.done(answers.Learned(steps))

    async def free_reference(self, _ticket: Ticket, request: table.FreeReference) -> None:
        if request.reference not in self.references:
            self.reference(request.reference)  # raises the reason
        del self.references[request.reference]
        self._changed()

    async def list_references(self, ticket: Ticket, _request: table.ListReferences) -> None:
        for each in self.references.values():
            state = "stale" if self._is_stale(each) else "ready"
            prompt = each.spec.prompt
            ticket.reply(answers.Reference(ticket.id, each.name, each.clip, prompt, state))
        for name in self._learning:
            if name not in self.references:
                ticket.reply(answers.Reference(ticket.id, name, "", "", "learning"))

    # A new engine, which has nothing yet

    async def resend(self) -> None:
        """Load all clips, and the clips of references, into an engine that has just started."""
        sources = {clip.key: clip.source for clip in self.clips.values()}
        sources |= {each.spec.clip: each.source for each in self.references.values()}
        sent = await asyncio.gather(*(self._resend(key, source) for key, source in sources.items()))
        facts = self._jobs.host.facts
        loaded = {key: clip for key, clip in sent if clip is not None}
        for name, clip in list(self.clips.items()):
            if clip.key in loaded and facts is not None:
                self.clips[name] = _clip(name, clip.source, loaded[clip.key], facts)
        self.engine_synced.set()
        self._changed()

    async def _resend(self, key: str, source: Source) -> tuple[str, Loaded | None]:
        try:
            return key, await self._jobs.run(Load(0, source, key or None), Loaded, always=True)
        except Refused:  # it stays in the session: its file may come back
            return key, None

    # Parts

    async def _learn(
        self, ticket: Ticket, name: str, clip_name: str, prompt: str, settings: LearnSettings
    ) -> int:
        """Learn a reference; returns the number of steps."""
        await self.engine_synced.wait()
        clip = await self.clip(clip_name)
        spec = ReferenceSpec(clip.key, prompt, settings)
        learned = await self._jobs.run(Learn(0, spec), Learned, ticket.progress)
        assert self._jobs.host.facts is not None
        self.references[name] = Reference(
            name, clip.name, clip.source, spec, self._jobs.host.facts.digest
        )
        self._changed()
        return learned.steps

    async def _load(self, ticket: Ticket, name: str, source: Source) -> None:
        loaded = await self._jobs.run(Load(0, source), Loaded, ticket.progress)
        assert self._jobs.host.facts is not None
        self.clips[name] = _clip(name, source, loaded, self._jobs.host.facts)
        self._changed()

    async def _capture(self, ticket: Ticket, path: Path, seconds: float) -> None:
        """Record the input device; a cancelled recording leaves no file."""
        check_free(path)
        stops: list[Callable[[], None]] = []
        recording = asyncio.ensure_future(
            asyncio.to_thread(record_input, self.input_device, seconds, path, stops.append)
        )
        began = time.monotonic()
        try:
            while not recording.done():
                await asyncio.wait([recording], timeout=RECORD_PROGRESS_SECONDS)
                elapsed = time.monotonic() - began
                ticket.progress("record", min(1.0, elapsed / seconds))
            recording.result()
        except BaseException:
            for stop in stops:
                stop()
            await asyncio.wait([recording])
            path.unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _is_loading(self, name: str) -> Generator[None]:
        event = self._loading[name] = asyncio.Event()
        try:
            yield
        finally:
            event.set()
            if self._loading.get(name) is event:
                del self._loading[name]

    @contextlib.contextmanager
    def _is_learning(self, name: str) -> Generator[None]:
        self._learning[name] = self._learning.get(name, 0) + 1
        try:
            yield
        finally:
            self._learning[name] -= 1
            if not self._learning[name]:
                del self._learning[name]


def _clip(name: str, source: Source, loaded: Loaded, facts: ModelFacts) -> Clip:
    return Clip(name, source, loaded.key, loaded.frames, facts.rate_hz, loaded.loudness_lufs)
