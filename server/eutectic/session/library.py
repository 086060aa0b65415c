"""Clips: what clients named and loaded, and what the engine has of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from pathlib import Path

import msgspec

from eutectic.errors import Stalled
from eutectic.files import names
from eutectic.files.stalls import answered
from eutectic.link.protocol import Load, Loaded, ModelFacts, Source
from eutectic.near import nearest
from eutectic.osc import answers, table
from eutectic.osc.server import is_local
from eutectic.reading import sections
from eutectic.session.carrying import Carrier
from eutectic.session.folders import Folders
from eutectic.session.jobs import Jobs, OnProgress
from eutectic.session.pair import Clip
from eutectic.session.presets import PresetClip
from eutectic.session.tickets import Refused, Ticket

log = logging.getLogger("eutectic.session")

_LOAD = "; /clip/load loads one"

GONE = ("no_file", "bad_audio", "stale_clip", "stalled")
"""Why a clip can't be loaded again that once could."""

Sent = tuple[str, Source]
"""A clip as the engine is asked for it: by its key, "" if that isn't known, and its source."""


class _Loading(asyncio.Event):
    """Set once a clip is loaded; until then, how much of it is."""

    fraction = 0.0


class Library:
    """All clips; owned by the event loop.

    Attributes:
        clips: by name, once they are loaded.
        missing: those whose files are gone, and which the engine hasn't kept; only their ready
            fusions play.
        engine_synced: set while the engine has all of them, and those of references; cleared when
            it dies.
    """

    def __init__(
        self, jobs: Jobs, folders: Folders, carrier: Carrier, changed: Callable[[], None]
    ) -> None:
        self._jobs, self._folders, self._changed = jobs, folders, changed
        self._carrier = carrier
        self.clips: dict[str, Clip] = {}
        self.missing: set[str] = set()
        self.engine_synced = asyncio.Event()
        self.engine_synced.set()
        self._loading: dict[str, _Loading] = {}
        self._paths: dict[str, str] = {}
        """As clients name them, by whole ones."""

    async def clip(self, name: str) -> Clip:
        """A clip by its name, after waiting for one that is being loaded.

        Raises:
            Refused: there is none (`unknown_clip`).
        """
        while name in self._loading:
            await self._loading[name].wait()
        self.check(name)
        return self.clips[name]

    async def path(self, name: str, local: bool) -> str:
        """A file that may be read, by its absolute name as text.

        Raises:
            BadPath: it isn't under a folder that is read.
            NoFile: there is none.
        """
        return names.text(await answered(name, lambda _: self._folders.to_read(name, local)))

    def is_loading(self, name: str) -> bool:
        return name in self._loading

    def check(self, name: str) -> None:
        """Check that there is a clip of this name, or one on its way.

        Raises:
            Refused: there is none (`unknown_clip`).
        """
        if name not in self.clips and name not in self._loading:
            near = nearest(name, (*self.clips, *self._loading))
            raise Refused("unknown_clip", f"there is no clip {name}{near or _LOAD}")

    # Requests

    async def load(self, ticket: Ticket, request: table.LoadClip) -> None:
        local = is_local(ticket.peer)
        self._jobs.check_room()
        with self._as_loading([request.clip]):
            source = await self._source(request.path, request.start or 0.0, request.duration, local)
            await self._check(source)
            ticket.queued()
            await self._load(ticket, request.clip, source)

    async def load_all(
        self, ticket: Ticket, clips: Iterable[PresetClip], others: Iterable[str],
        loaded: Callable[[Clip], None], checked: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        """Load a preset's clips, except those that are loaded, one after another.

        `loaded` gets each, and the other clips that the preset needs. `checked` is awaited before
        any is loaded, and may raise, too.

        Raises:
            BadPath: a file isn't under a folder that is read; nothing is loaded.
            BadAudio: one is missing or can't be used; nothing is loaded.
            Refused: one of the others doesn't exist; nothing is loaded.
        """
        given = {each.name: each for each in clips}
        others = [name for name in dict.fromkeys(others) if name not in given]
        with contextlib.ExitStack() as stack:
            events = stack.enter_context(
                self._as_loading([name for name in given if name not in self.clips])
            )
            sources = {
                name: await self._source(each.path, each.start, each.duration, local=True)
                for name, each in given.items()
            }
            changed = [
                name for name, source in sources.items()
                if name not in events and self._source_of(name) != source
            ]  # fmt: skip
            events |= stack.enter_context(self._as_loading(changed))
            for source in sources.values():
                await self._check(source)
            await checked()
            for name in others:
                await self.clip(name)
            for name in (*sources, *others):
                if name in events:
                    await self._load(ticket, name, sources[name])
                    self._end_loading(name, events[name])
                loaded(await self.clip(name))

    @contextlib.contextmanager
    def expecting(self, name: str) -> Generator[OnProgress]:
        """While a clip is on its way that isn't a file yet; how far it is, is reported."""
        with self._as_loading([name]) as events:

            def progress(_stage: str, fraction: float) -> None:
                events[name].fraction = fraction

            yield progress

    async def load_own(self, ticket: Ticket, name: str, path: Path) -> None:
        """Load a file that was written here.

        Raises:
            Refused: the engine can't.
        """
        await self._load(ticket, name, Source(str(path)))

    async def free(self, _ticket: Ticket, request: table.FreeClip) -> None:
        await self.clip(request.clip)
        del self.clips[request.clip]
        self.missing.discard(request.clip)
        self._changed()

    async def list(self, ticket: Ticket, _request: table.ListClips) -> None:
        for each in self.states():
            if each.clip in self.clips:
                ticket.reply(msgspec.structs.replace(each, id=ticket.id))

    def states(self) -> Iterator[answers.Clip]:
        """What each is, and those that are being loaded."""
        for name in dict.fromkeys((*self.clips, *self._loading)):
            clip, loading = self.clips.get(name), self._loading.get(name)
            path, seconds = ("", 0.0) if clip is None else (self._shown(clip), clip.seconds)
            fraction = 1.0 if loading is None else round(loading.fraction, 2)
            yield answers.Clip(-1, name, path, seconds, self.state(name), fraction)

    def state(self, name: str) -> str:
        """Of a loaded clip: `loaded`, `loading` anew, or `missing`."""
        if name in self._loading:
            return "loading"
        return "missing" if name in self.missing else "loaded"

    # A new engine, which has nothing yet

    async def resend(self, others: Iterable[Sent]) -> dict[Sent, Loaded]:
        """Load all clips, and others, into an engine that has just started; returns what it has."""
        sent = {(clip.key, clip.source) for clip in self.clips.values()} | set(others)
        facts = self._jobs.host.facts
        answered = await asyncio.gather(*(self._resend(*each) for each in sent))
        found = dict(zip(sent, answered, strict=True))
        loaded = {each: clip for each, clip in found.items() if isinstance(clip, Loaded)}
        for name, clip in list(self.clips.items()):
            again = found.get((clip.key, clip.source), "")
            if isinstance(again, Loaded) and facts is not None and self._jobs.host.facts is facts:
                self.clips[name] = _clip(name, clip.source, again, facts)
                self.missing.discard(name)
                await self._warn_if_gone(clip)
            elif again in GONE:
                self.missing.add(name)
                log.warning("clip %s: %s is missing or can't be read", name, clip.source.path)
        return loaded

    async def _warn_if_gone(self, clip: Clip) -> None:
        path = Path(clip.source.path)
        try:
            await answered(clip.source.path, lambda _: names.found(path).stat())
        except (OSError, Stalled):
            log.warning("clip %s: %s is gone; its kept copy plays", clip.name, path)

    async def _resend(self, key: str, source: Source) -> Loaded | str:
        """What the engine has; or why not: then it stays in the session, and may come back."""
        work = Load(0, source, key or None)
        try:
            return await self._jobs.run(work, Loaded, always=True)
        except Refused as error:
            if error.code not in GONE or not await self._carrier.clip(key):
                return error.code
        try:
            return await self._jobs.run(work, Loaded, always=True)
        except Refused as error:
            return error.code

    # Parts

    def _shown(self, clip: Clip) -> str:
        """Its path as clients would name it, which takes a while to find."""
        path = clip.source.path
        if path not in self._paths:
            self._paths[path] = self._folders.shown(Path(path))
        return self._paths[path]

    async def _source(self, path: str, start: float, duration: float | None, local: bool) -> Source:
        """A section of a file that may be read."""
        return Source(await self.path(path, local), start, duration)

    async def _check(self, source: Source) -> None:
        """Check that it is a sound file, before the engine has work with it."""
        path = Path(source.path)
        await answered(source.path, lambda alive: sections.check(path, alive))

    def _source_of(self, name: str) -> Source | None:
        return self.clips[name].source if name in self.clips else None

    async def _load(self, ticket: Ticket, name: str, source: Source) -> None:
        loaded = await self._jobs.run(Load(0, source), Loaded, self._progress(ticket, name))
        assert self._jobs.host.facts is not None
        self.clips[name] = _clip(name, source, loaded, self._jobs.host.facts)
        self.missing.discard(name)
        self._changed()

    @contextlib.contextmanager
    def _as_loading(self, names: Iterable[str]) -> Generator[dict[str, _Loading]]:
        """While these are loaded; each may end earlier."""
        events = {name: _Loading() for name in names}
        self._loading |= events
        try:
            yield events
        finally:
            for name, event in events.items():
                self._end_loading(name, event)

    def _progress(self, ticket: Ticket, name: str) -> OnProgress:
        """Reports to a request's sender, and notes it for all others."""

        def progress(stage: str, fraction: float) -> None:
            if name in self._loading:
                self._loading[name].fraction = fraction
            ticket.progress(stage, fraction)

        return progress

    def _end_loading(self, name: str, event: _Loading) -> None:
        event.set()
        if self._loading.get(name) is event:
            del self._loading[name]


def _clip(name: str, source: Source, loaded: Loaded, facts: ModelFacts) -> Clip:
    return Clip(name, source, loaded.key, loaded.frames, facts.rate_hz, loaded.loudness_lufs)
