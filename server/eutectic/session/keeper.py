"""What outlives the daemon: the session's file and presets."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import msgspec

from eutectic.errors import BadOutput
from eutectic.files import names, toml
from eutectic.files.toml import FORMAT, BadState, stamp_of
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.session import kept
from eutectic.session.favourites import Favourites
from eutectic.session.grids import Grids
from eutectic.session.jobs import Jobs
from eutectic.session.kept import KeptClip, KeptReference, KeptSession, KeptVoice, SessionFile
from eutectic.session.library import Library
from eutectic.session.pair import Pair
from eutectic.session.presets import Preset, Presets
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

SAVE_SECONDS = 1.0
"""A change is on disk after this."""


class Keeper:
    """Saves and restores; owned by the event loop.

    `model` names the model in use; `path` is the session's file, None to keep nothing; `sessions`
    is the folder of all others.

    Attributes:
        held: how the session wants voices set that still play what they did in the session before;
            what a client sets meanwhile is set here, too.
    """

    def __init__(
        self, path: Path | None, sessions: Path, presets: Presets, jobs: Jobs, library: Library,
        references: References, voices: Voices, grids: Grids, resolver: Resolver, tempo: Tempo,
        favourites: Favourites, model: Callable[[], str], publish: Callable[[Answer], None],
    ) -> None:  # fmt: skip
        self._path, self._sessions, self._presets, self._jobs = path, sessions, presets, jobs
        self._library, self._references = library, references
        self._voices, self._grids, self._resolver = voices, grids, resolver
        self._tempo, self._favourites = tempo, favourites
        self._model, self._publish = model, publish
        self._followed: tuple[str, tuple[int, int]] | None = None
        """The preset loaded last, and the stamp of its file."""
        self.held: dict[int, KeptVoice] = {}
        self._beyond: list[KeptVoice] = []
        """The session's voices of which this daemon has none, as they were read."""
        self._dirty, self._saved = False, 0.0
        self._restored = False
        """Until then the file isn't written."""
        self._file: SessionFile | None = None
        self._numbers = itertools.count(1)

    def changed(self) -> None:
        """The session is to be saved."""
        self._dirty = True

    def open(self) -> None:
        """Claim the session's file and restore what it holds.

        Raises:
            BadState: it can't be read, or another daemon is using it.
        """
        if self._path is not None:
            self._file = SessionFile(self._path)
            if self._path.exists():
                session = kept.read(self._path)
                self._restore(session)
                self._voices.restore(session.master_db, session.voices)
                if session.clips or session.references:
                    self._library.engine_synced.clear()
            else:
                log.warning("%s; a new one is started", kept.unknown(self._path))
        self._restored = True

    def close(self) -> None:
        """Save for the last time."""
        if self._file is None:
            return
        try:
            if self._restored:
                _save(self._file, self.session(), next(self._numbers))
        finally:
            self._file.release()

    async def save_if_changed(self) -> None:
        """Save, at most once in SAVE_SECONDS."""
        if not self._dirty or time.monotonic() - self._saved <= SAVE_SECONDS:
            return
        self._dirty, self._saved = False, time.monotonic()
        if self._file is not None:
            number = next(self._numbers)
            await asyncio.to_thread(_save, self._file, self.session(), number)

    def as_set(self, voice: Voice) -> Voice:
        """A voice as the session sets what is asked for next, even while it plays on."""
        held = self.held.get(voice.number)
        if held is None:
            return voice
        return replace(
            voice, blend=held.blend, y=held.y or 0.0, cfg=held.cfg, recall=held.recall,
            strength=held.strength, eta=held.eta,
        )  # fmt: skip

    # Which session

    @property
    def title(self) -> str:
        """The name of the session's file; empty if it isn't kept."""
        return "" if self._path is None else self._path.stem

    def in_use(self) -> answers.Session:
        """The session in use, as clients see it."""
        name = "" if self._path is None else self._name(self._path)
        fused = sum(voice.request is not None for voice in self._voices.all)
        what = kept.counted(len(self._library.clips), len(self._references.all), fused)
        return answers.Session(-1, name, what, 1)

    def announce(self) -> None:
        """Tell every client which session is in use."""
        self._publish(self.in_use())

    def listed(self, saved: Iterable[tuple[str, str]]) -> list[answers.Session]:
        """All sessions, of which these are saved; the one in use as it is now."""
        used = self.in_use()
        others = [answers.Session(-1, *each, 0) for each in saved if each[0] != used.name]
        return sorted([*others, used], key=lambda each: each.name)

    def opened(self, name: str) -> tuple[SessionFile, KeptSession]:
        """Another session: its file, which is claimed, and what it holds.

        Raises:
            BadState: there is none, it is damaged, it is the one in use or another daemon's.
        """
        path = self._of_name(name)
        if not path.exists():
            raise BadState(kept.unknown(path))
        file = SessionFile(path)
        try:
            return file, kept.read(path)
        except BaseException:
            file.release()
            raise

    def begun(self, name: str) -> tuple[SessionFile, KeptSession]:
        """A new, empty session and its file, which is claimed.

        Raises:
            BadOutput: there is one of this name, or it can't be written.
            BadState: another daemon has just begun it.
        """
        path = self._of_name(name)
        if path.exists():
            raise BadOutput(f"session {name} exists; /session/load opens it")
        return SessionFile(path), KeptSession(FORMAT, self._model(), self._voices.master_db)

    def save_now(self) -> None:
        """Save the session in use; under a new name if it wasn't to be kept, and holds anything.

        Raises:
            BadOutput: it can't be saved.
        """
        session = self.session()
        if self._file is not None:
            self._file.write(session, next(self._numbers))
        elif session.clips or session.references or session.favourites:
            path = self._unused()
            toml.write(path, session)
            log.warning("nothing was kept so far: what there was is session %s", path.stem)
            self._publish(answers.Session(-1, path.stem, session.what, 0))

    def go_on(self, file: SessionFile, session: KeptSession, pairs: Iterable[Pair]) -> None:
        """Let another session take the place of the one in use, except for how voices are set.

        `pairs` still play.
        """
        old, before = self._file, self.in_use()
        self._path, self._file, self._followed = file.path, file, None
        self._library.clips.clear()
        self._library.missing.clear()
        self._references.all.clear()
        self._references.missing.clear()
        fans = [self._grids.name(pair) for pair in pairs]
        playing = {name: self._grids.kept[name] for name in fans if name in self._grids.kept}
        axes = {name: self._grids.axes[name] for name in fans if name in self._grids.axes}
        self._grids.clear()
        self._restore(session)
        self._grids.kept |= playing
        self._grids.axes |= axes
        facts = self._jobs.host.facts
        if facts is not None:
            self._references.recall = facts.recall
        self._dirty, self._saved = True, 0.0
        if old is not None:
            old.release()
            self._publish(msgspec.structs.replace(before, in_use=0))

    async def follow(self) -> None:
        """Reload the preset loaded last if its file has changed."""
        if self._followed is None:
            return
        name, before = self._followed
        stamp = stamp_of(self._presets.path(name))
        if stamp == before:
            return
        self._followed = followed = name, stamp
        try:
            preset = await asyncio.to_thread(self._presets.read, name)
            if self._followed is not followed:  # another session is in use by now
                return
            self._apply(preset)
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
        if self._followed is not None and self._followed[0] == request.name:
            self._followed = request.name, stamp_of(path)  # voices have it, or are past it

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
        path, session = self._path, self.session()
        if request.name is not None:
            path = kept.named(self._sessions, request.name)
        if path is None:
            raise Refused("no_session", "name the session, or start with --session")
        is_own = self._file is not None and path == self._path
        file = self._file if is_own else None
        await asyncio.to_thread(_write, file, path, session, next(self._numbers))
        ticket.done(answers.SavedFile(str(path)))
        self._publish(answers.Session(-1, self._name(path), session.what, int(is_own)))

    async def list_sessions(self, ticket: Ticket, _request: table.ListSessions) -> None:
        for each in self.listed(await asyncio.to_thread(kept.listed, self._sessions)):
            ticket.reply(msgspec.structs.replace(each, id=ticket.id))

    # Parts

    def _apply(self, preset: Preset) -> None:
        """Set fusions and voices as a preset says."""
        for voice in preset.voices:
            self.held.pop(voice.number, None)
        if preset.fusion:
            self._resolver.defaults = dict(preset.fusion)
        if "blend" in preset.fusion:
            for voice in self._voices.all:
                voice.blend = float(preset.fusion["blend"])
        self._voices.restore(preset.master_db, preset.voices)

    def session(self) -> KeptSession:
        """What there is at present."""
        voices = [self.held.get(voice.number, voice) for voice in self._voices.kept()]
        return KeptSession(
            FORMAT, self._model(), self._voices.master_db, self._resolver.defaults,
            [KeptClip.of(each) for each in self._library.clips.values()],
            [KeptReference.of(each) for each in self._references.all.values()],
            voices + self._beyond, self._references.recall, self._grids.kept or None,
            self._tempo.kept, list(self._favourites.all.values()) or None,
            self._grids.axes or None, self._voices.focus,
        )  # fmt: skip

    def _restore(self, session: KeptSession) -> None:
        same_model = session.model == self._model()
        self._references.recall = session.recall if same_model else None
        for each in session.clips:
            # another model's key means nothing to this one
            clip = each.clip if same_model else replace(each.clip, key="")
            self._library.clips[each.name] = clip
        for each in session.references:
            self._references.all[each.name] = each.reference
        self._favourites.restore(session.favourites or [])
        self._beyond = [each for each in session.voices if each.number > len(self._voices.all)]
        log.info("session %s: %s", self.title, session.what)
        self._resolver.defaults = dict(session.fusion)
        self.restore_fans(session)
        self._voices.bring_into_focus(session.focus or 1)
        self._tempo.restore(session.bpm)

    def restore_fans(self, session: KeptSession) -> None:
        """Have the places of fans that a session kept."""
        self._grids.restore(session.fans or {}, session.axes)

    def _of_name(self, name: str) -> Path:
        """The file of another session, whether there is one or not.

        Raises:
            BadState: it is the one in use, or can't be looked for.
        """
        try:
            path = names.found(kept.named(self._sessions, name))
        except OSError as error:  # a name that is too long
            raise BadState(f"session {name}: can't be read ({error.strerror})") from None
        if path == self._path:
            raise BadState(f"session {name} is in use already")
        return path

    def _name(self, path: Path) -> str:
        """A session's name; of one elsewhere, its path."""
        return names.text(path.stem if path.parent == self._sessions else path)

    def _unused(self) -> Path:
        """A file for what had no name."""
        name = f"unnamed {time.strftime('%Y-%m-%d %H.%M.%S')}"
        for number in itertools.count(1):
            path = kept.named(self._sessions, name if number == 1 else f"{name} {number}")
            if not path.exists():
                return path
        raise AssertionError  # numbers don't end


def _save(file: SessionFile, session: KeptSession, number: int) -> None:
    try:
        file.write(session, number)
    except (OSError, BadOutput) as error:
        log.error("the session can't be saved: %s", error)


def _write(file: SessionFile | None, path: Path, session: KeptSession, number: int) -> None:
    """Write the session's own file, or another, which no other daemon may be using.

    Raises:
        BadState: another daemon is using it.
        BadOutput: it can't be written.
    """
    if file is not None:
        file.write(session, number)
        return
    other = SessionFile(path)
    try:
        other.write(session, number)
    finally:
        other.release()
