"""Fusions as sound files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import soundfile

from eutectic.audio import Samples
from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path
from eutectic.link.protocol import Priority
from eutectic.osc import answers, table
from eutectic.playback.sounds import Sound
from eutectic.session.folders import Folders, check_free
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.options import place
from eutectic.session.resolve import Resolver
from eutectic.session.tickets import Ticket


class Renders:
    """Writes fusions; owned by the event loop."""

    def __init__(self, jobs: Jobs, library: Library, resolver: Resolver, folders: Folders) -> None:
        self._jobs, self._library, self._resolver, self._folders = jobs, library, resolver, folders

    async def render(self, ticket: Ticket, request: table.Render) -> None:
        """Write a fusion to a file, at the model's rate."""
        path = self._folders.to_write(request.path)
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
        samples = sound.samples[:, : sound.frames]
        await asyncio.to_thread(_save_new, path, samples, rate_hz)
        ticket.done(answers.SoundFile(str(path), sound.frames, rate_hz))


def _save_new(path: Path, samples: Samples, rate_hz: int) -> None:
    """A WAV file of floats, whole or not at all."""
    check_free(path)
    try:
        with atomic_path(path) as temporary:
            soundfile.write(temporary, samples.T, rate_hz, "FLOAT", format="WAV")
    except soundfile.LibsndfileError as error:
        raise BadOutput(f"{path}: can't be written ({error})") from None
