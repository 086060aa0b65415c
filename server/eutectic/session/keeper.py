"""What outlives the daemon: the session's file and presets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from eutectic.errors import BadOutput
from eutectic.files import toml
from eutectic.files.toml import FORMAT, BadState, stamp_of
from eutectic.near import nearest
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.session import kept
from eutectic.session.grids import Grids
from eutectic.session.jobs import Jobs
from eutectic.session.kept import KeptClip, KeptReference, KeptSession
from eutectic.session.library import Library
from eutectic.session.pair import Clip, Reference
from eutectic.session.presets import Preset, Presets
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

SAVE_SECONDS = 1.0
"""A change is on disk after this."""


class Keeper:
    """Saves and restores; owned by the event loop.

    `model` names the model in use; `path` is the session's file, None to keep nothing.
    """

    def __init__(
        self, path: Path | None, sessions: Path, presets: Presets, jobs: Jobs, library: Library,
        references: References, voices: Voices, grids: Grids, resolver: Resolver,
        model: Callable[[], str], publish: Callable[[Answer], None],
    ) -> None:  # fmt: skip
        self._path, self._sessions, self._presets, self._jobs = path, sessions, presets, jobs
        self._library, self._references = library, references
        self._voices, self._grids, self._resolver = voices, grids, resolver
        self._model, self._publish = model, publish
        self._followed: tuple[str, tuple[int, int]] | None = None
        """The preset loaded last, and the stamp of its file."""
        self._dirty, self._saved = False, 0.0
        self._restored = False
        """Until then the file isn't written."""
        self._claim: FileLock | None = None

    def changed(self) -> None:
        """The session is to be saved."""
        self._dirty = True

    def open(self) -> None:
        """Claim the session's file and restore what it holds.

        Raises:
            BadState: it can't be read, or another daemon is using it.
        """
        if self._path is not None:
            self._claim = kept.claim(self._path)
            if self._path.exists():
                self._restore(kept.read(self._path))
            else:
                log.warning("%s", _unknown(self._path))
        self._restored = True

    def close(self) -> None:
        """Save for the last time."""
        try:
            if self._path is not None and self._restored:
                _save(self._path, self._session())
        finally:
            if self._claim is not None:
                self._claim.release()

    async def save_if_changed(self) -> None:
        """Save, at most once in SAVE_SECONDS."""
        if not self._dirty or time.monotonic() - self._saved <= SAVE_SECONDS:
            return
        self._dirty, self._saved = False, time.monotonic()
        if self._path is None:
            return
        await asyncio.to_thread(_save, self._path, self._session())

    async def follow(self) -> None:
        """Reload the preset loaded last if its file has changed."""
        if self._followed is None:
            return
        name, before = self._followed
        stamp = stamp_of(self._presets.path(name))
        if stamp == before:
            return
        self._followed = name, stamp
        try:
            self._apply(await asyncio.to_thread(self._presets.read, name))
            text = "reloaded"
        except BadState as error:
            text = str(error)
        log.info("preset %s: %s", name, text)
        self._publish(answers.PresetChanged(name, text))

    # Requests

    async def save_preset(self, _ticket: Ticket, request: table.SavePreset) -> None:
        voices = self._voices
        preset = Preset(FORMAT, "", voices.master_db, self._resolver.defaults, voices=voices.kept())
        path = kept.named(self._presets.own, request.name)
        await asyncio.to_thread(toml.write, path, preset)

    async def load_preset(self, ticket: Ticket, request: table.LoadPreset) -> None:
        preset = self._presets.read(request.name)  # at once, so that fusions wait for what it loads

        def apply() -> None:
            self._apply(preset)
            self._followed = request.name, stamp_of(self._presets.path(request.name))

        if not preset.clips and not preset.references:
            apply()
        else:
            self._jobs.check_room()
            ticket.queued()
            await self._references.load_preset(ticket, preset, apply)
        loaded = preset.clips, preset.references
        clips, references = (" ".join(each.name for each in kind) for kind in loaded)
        voices = " ".join(str(each.number) for each in preset.voices)
        ticket.done(answers.LoadedPreset(clips, references, voices))

    async def list_presets(self, ticket: Ticket, _request: table.ListPresets) -> None:
        for name, what in await asyncio.to_thread(self._presets.list):
            ticket.reply(answers.Preset(ticket.id, name, what))

    async def save_session(self, ticket: Ticket, request: table.SaveSession) -> None:
        path = self._path
        if request.name is not None:
            path = kept.named(self._sessions, request.name)
        if path is None:
            raise Refused("no_session", "name the session, or start with --session")
        await asyncio.to_thread(toml.write, path, self._session())
        ticket.done(answers.SavedFile(str(path)))

    # Parts

    def _apply(self, preset: Preset) -> None:
        """Set fusions and voices as a preset says."""
        if preset.fusion:
            self._resolver.defaults = dict(preset.fusion)
        if "blend" in preset.fusion:
            for voice in self._voices.all:
                voice.blend = float(preset.fusion["blend"])
        self._voices.restore(preset.master_db, preset.voices)

    def _session(self) -> KeptSession:
        clips = [
            KeptClip(c.name, c.source, c.key, c.frames, c.rate_hz, c.loudness_lufs)
            for c in self._library.clips.values()
        ]
        references = [
            KeptReference(r.name, r.clip, r.source, r.spec, r.model, r.lora or None,
                          None if r.strength == 1 else r.strength)
            for r in self._references.all.values()
        ]  # fmt: skip
        return KeptSession(
            FORMAT, self._model(), self._voices.master_db, self._resolver.defaults, clips,
            references, self._voices.kept(), self._references.recall,
            self._grids.kept or None,
        )  # fmt: skip

    def _restore(self, session: KeptSession) -> None:
        same_model = session.model == self._model()
        self._references.recall = session.recall if same_model else None
        for c in session.clips:
            key = c.key if same_model else ""  # another model's key means nothing to this one
            clip = Clip(c.name, c.source, key, c.frames, c.rate_hz, c.loudness_lufs)
            self._library.clips[c.name] = clip
        for r in session.references:
            strength = 1.0 if r.strength is None else r.strength
            reference = Reference(r.name, r.clip, r.source, r.spec, r.model, r.lora or "", strength)
            self._references.all[r.name] = reference
        log.info(
            "session %s: %d clips, %d references, %d voices with a fusion",
            self._path.stem if self._path else "", len(session.clips), len(session.references),
            sum(bool(voice.request) for voice in session.voices),
        )  # fmt: skip
        self._resolver.defaults = dict(session.fusion)
        self._grids.restore(session.fans or {})
        self._voices.restore(session.master_db, session.voices)
        if session.clips or session.references:
            self._library.engine_synced.clear()


def _save(path: Path, session: KeptSession) -> None:
    try:
        toml.write(path, session)
    except (OSError, BadOutput) as error:
        log.error("the session can't be saved: %s", error)


def _unknown(path: Path) -> str:
    """What there is instead of a session."""
    there = sorted(each.stem for each in path.parent.glob("*.toml"))
    near = nearest(path.stem, there) or (f"; there are: {', '.join(there)}" if there else "")
    return f"no session {path.stem!r} in {path.parent}{near}; a new one is started"
