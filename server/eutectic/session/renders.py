"""Fusions as sound files."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from eutectic.audio import Waveform
from eutectic.config import Place
from eutectic.fusion_options import place
from eutectic.link.protocol import Priority
from eutectic.osc import answers, table
from eutectic.playback.sounds import Sound
from eutectic.saving import FORMATS, save_sound
from eutectic.session.folders import Folders, check_free
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.pair import Pair
from eutectic.session.recipes import recipe_of
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
        recipe = recipe_of(pair, where, self._jobs.host.facts)
        remark = save_sound(path, waveform, recipe.tags)
        if remark:
            log.warning("%s: %s", path, remark)
