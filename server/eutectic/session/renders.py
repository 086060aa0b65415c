"""Fusions as sound files."""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version
from pathlib import Path

from eutectic.audio import Waveform, check_section
from eutectic.config import Place
from eutectic.errors import BadAudio
from eutectic.link.protocol import Priority, Source
from eutectic.osc import answers, table
from eutectic.playback.sounds import Sound
from eutectic.recipe import FORMAT, Learned, LoraUsed, ModelUsed, Recipe, Section
from eutectic.saving import FORMATS, save_sound
from eutectic.session.folders import Folders, check_free
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.options import place
from eutectic.session.pair import Pair
from eutectic.session.resolve import Resolver
from eutectic.session.tickets import Ticket

log = logging.getLogger("eutectic.session")


class Renders:
    """Writes fusions; owned by the event loop."""

    def __init__(self, jobs: Jobs, library: Library, resolver: Resolver, folders: Folders) -> None:
        self._jobs, self._library, self._resolver, self._folders = jobs, library, resolver, folders

    async def render(self, ticket: Ticket, request: table.Render) -> None:
        """Write a fusion to a file, at the model's rate."""
        path = self._folders.to_write(request.path, FORMATS)
        request = self._resolver.with_defaults(request)
        self._resolver.check(request)
        where = place(request)
        await self._library.engine_synced.wait()
        pair = await self._resolver.pair(request)
        rate_hz = pair.original.rate_hz
        ready = await self._jobs.ready(pair, where, rate_hz)
        sound: Sound | None = ready.sound if ready is not None else None
        if sound is None:
            self._jobs.check_room()
            ticket.queued()
            async for made in self._jobs.sounds(
                pair, [where], Priority.RENDER, ticket.progress, rate_hz
            ):
                sound = made.sound
        assert sound is not None  # a fusion has at least one chunk
        waveform = Waveform(sound.samples[:, : sound.frames], rate_hz)
        await asyncio.to_thread(self._save_new, path, waveform, pair, where)
        ticket.done(answers.SoundFile(str(path), sound.frames, rate_hz))

    def _save_new(self, path: Path, waveform: Waveform, pair: Pair, where: Place) -> None:
        """A file that says how it was made, whole or not at all."""
        check_free(path)
        facts = self._jobs.host.facts
        spec = pair.reference.spec
        recipe = Recipe(
            format=FORMAT, version=version("eutectic"), original=_section(pair.original.source),
            reference=_section(pair.reference.source), prompt=spec.prompt, place=where,
            level=pair.level, sampling=pair.sampling,
            learned=None if spec.settings is None else Learned(spec.settings),
            lora=LoraUsed.of(Path(pair.reference.lora)) if pair.reference.lora else None,
            model=None if facts is None else ModelUsed(facts.name, facts.digest),
        )  # fmt: skip
        remark = save_sound(path, waveform, recipe.tags)
        if remark:
            log.warning("%s: %s", path, remark)


def _section(source: Source) -> Section:
    """A clip's source; without a digest if it can't be read any more."""
    path, start, duration = Path(source.path), source.start_seconds, source.duration_seconds
    try:
        digest = check_section(path, start, duration)
    except BadAudio:
        digest = ""
    return Section.of(path, digest, start, duration)
