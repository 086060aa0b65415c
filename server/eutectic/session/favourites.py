"""Favourites: what was heard, kept as sound files that say how they were made.

A file holds the sound as it was played, at the device's rate, and the tail that its loop's seam
crossfades from. It plays without its clip, its reference and even its model; with them, the voice
goes on through the fan of its pair. No file is ever overwritten, nor deleted.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from eutectic.audio import Samples, Waveform, resample, save_wav
from eutectic.config import Place
from eutectic.errors import BadInput, BadOutput, NoFile
from eutectic.files import names
from eutectic.files.tags import Tags
from eutectic.fusion_options import fuse_request, place
from eutectic.link.protocol import Priority
from eutectic.near import nearest
from eutectic.osc import answers, table
from eutectic.osc.table import Fuse
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.session.fans import Fans
from eutectic.session.folders import check_free
from eutectic.session.grids import Grids
from eutectic.session.jobs import Jobs
from eutectic.session.kept import KeptClip, KeptFavourite, KeptReference
from eutectic.session.options import kept_options, loops
from eutectic.session.pair import Pair
from eutectic.session.recipes import recipe_of
from eutectic.session.resolve import Resolver
from eutectic.session.shelf import Ready, digest_of
from eutectic.session.stage import Stage
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices

DECODED_SECONDS = 0.02
"""Between two looks at a sound that is still being decoded."""

MAX_NAME = 32
"""Characters of a favourite's name."""


@dataclass(frozen=True)
class _Heard:
    """What a voice plays: the sound, and which fusions of the pair are mixed in it.

    `mixed`: blend, y and gain of each.
    """

    pair: Pair
    request: Fuse
    blend: float
    loop: bool
    sound: Sound
    mixed: list[tuple[float, float, float]]


class Favourites:
    """Keeps and plays favourites; owned by the event loop.

    Attributes:
        all: by their names.
    """

    def __init__(
        self, folder: Path, jobs: Jobs, resolver: Resolver, voices: Voices, fans: Fans,
        stage: Stage, grids: Grids, player: Player, changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._folder, self._jobs, self._resolver = folder, jobs, resolver
        self._voices, self._fans, self._stage = voices, fans, stage
        self._grids, self._player, self._changed = grids, player, changed
        self.all: dict[str, KeptFavourite] = {}
        self._gone: set[str] = set()
        self._writing = asyncio.Lock()

    # Requests

    async def keep(self, ticket: Ticket, request: table.KeepFavourite) -> None:
        """Keep what a voice plays, or played last; under a name like it if that is taken."""
        voice = self._voices[request.voice or self._voices.focus]
        heard = await self._heard(voice)
        async with self._writing:
            digest = await asyncio.to_thread(digest_of, heard.sound.samples)
            known = self._named(request.name, digest)
            if known is None:
                known = await asyncio.to_thread(self._save, self._free(request.name), heard, digest)
                if known.name in self.all:  # of another session, which is in use by now
                    known = msgspec.structs.replace(known, name=self._free(known.name))
                self.all[known.name] = known
                self._remember(known, heard.sound)
                self._changed()
        ticket.done(answers.KeptSound(known.name, known.path))

    async def play(self, ticket: Ticket, request: table.PlayFavourite) -> None:
        """Play a favourite; what of its pair is there can be scrubbed through."""
        kept, voice = self.kept(request.name), self._voices[request.voice or self._voices.focus]
        voice.by = ticket.client
        asked = fuse_request(kept.request | {"loop": int(kept.loop)}, voice.number)
        newest = self._resolver.at_hand(asked)
        is_there = newest is not None and newest.key == kept.pair.key
        pair = newest if newest is not None and is_there else kept.pair
        due = self._stage.due(ticket, request)
        with self._stage.turn(ticket, voice, due):
            found = Ready(await self._sound(kept), kept.blend)
            await self._stage.play(ticket, voice, pair, asked, found, kept.blend, due)
        if is_there:
            self._fans.prefetch(voice, Priority.AHEAD)

    async def list(self, ticket: Ticket, _request: table.ListFavourites) -> None:
        for each in self.states():
            ticket.reply(msgspec.structs.replace(each, id=ticket.id))

    async def free(self, _ticket: Ticket, request: table.FreeFavourite) -> None:
        del self.all[self.kept(request.name).name]
        self._changed()

    # What happens without a request

    def restore(self, kept: list[KeptFavourite]) -> None:
        """Have those of a session, and no others."""
        self.all = {each.name: each for each in kept}
        self._gone = set()

    async def look(self) -> None:
        """See which files are there."""
        paths = [each.path for each in self.all.values()]
        self._gone = await asyncio.to_thread(lambda: {each for each in paths if _is_gone(each)})

    def states(self) -> Iterator[answers.Favourite]:
        for each in self.all.values():
            state = f"{each.path}: the file is gone" if each.path in self._gone else "kept"
            yield answers.Favourite(
                -1, each.name, each.clip.name, each.reference.name, each.blend,
                each.frames / each.rate_hz, state,
            )  # fmt: skip

    def kept(self, name: str) -> KeptFavourite:
        """One by its name.

        Raises:
            Refused: there is none (`unknown_favourite`).
        """
        kept = self.all.get(name)
        if kept is None:
            text = f"there is no favourite {name}{nearest(name, list(self.all))}"
            raise Refused("unknown_favourite", text)
        return kept

    # Parts

    async def _heard(self, voice: Voice) -> _Heard:
        """What a voice plays, once it is decoded; or what it played last, if that is ready.

        Raises:
            Refused: there is no such thing (`nothing_to_play`).
        """
        playing = self._voices.meant(voice)
        if playing is not None:
            played = playing[1]
            loop = bool(self._player.loops(voice.number))
            if played.is_coming:
                loop = loops(played.request, voice.loop)
            while not all(each is None or each.complete for each in played.fan.sounds):
                await asyncio.sleep(DECODED_SECONDS)
                if self._voices.meant(voice) != playing:
                    raise Refused("nothing_to_play", "it ended before it was decoded")
            blend = played.place.blend_or(voice.blend)
            pair = played.pair if played.pad is not None else self._at(played.pair, voice.y)
            at = blend, voice.y
            return await asyncio.to_thread(_mixed, pair, played.request, at, loop, played.fan)
        if voice.pair is not None and voice.request is not None:
            places = [Place(voice.blend), place(voice.request, voice.blend)]
            found = await self._fans.nearest(voice.pair, voice.blend, places)
            if found is not None:
                fan = self._fans.around(voice.pair, found.blend, found.sound)
                pair, at = self._at(voice.pair, voice.y), (voice.blend, voice.y)
                return await asyncio.to_thread(_mixed, pair, voice.request, at, voice.loop, fan)
        why = "plays nothing, and has not lately"
        if voice.lives:
            why = "plays the input: /clip/grab @from output makes a clip of that"
        raise Refused("nothing_to_play", f"voice {voice.number} {why}")

    def _at(self, pair: Pair, y: float) -> Pair:
        """A pair, or the one that is at y on its second axis."""
        axis = self._grids.axis(pair)
        return pair if axis is None else self._grids.at(pair, axis, y) or pair

    def _named(self, name: str, digest: str) -> KeptFavourite | None:
        """A favourite of a name, or one like it, that is this very sound."""
        for each in self.all.values():
            if each.digest == digest and (each.name == name or each.name.startswith(f"{name}-")):
                return each
        return None

    def _free(self, name: str) -> str:
        """The name, or one like it that is free."""
        for number in itertools.count(1):
            free = name if number == 1 else f"{name[: MAX_NAME - 1 - len(str(number))]}-{number}"
            if free not in self.all:
                return free
        raise AssertionError  # numbers don't end

    def _save(self, name: str, heard: _Heard, digest: str) -> KeptFavourite:
        """Write a sound with all that makes it again.

        Raises:
            BadOutput: it can't be written.
        """
        pair, sound, rate_hz = heard.pair, heard.sound, self._jobs.rate_hz
        knobs = {"recall": pair.knobs.recall, "strength": pair.knobs.strength}
        request = kept_options(heard.request) | {
            name: each for name, each in knobs.items() if each is not None
        }
        path = self._new_file(name)
        kept = KeptFavourite(
            name, str(path), digest, KeptClip.of(pair.original), KeptReference.of(pair.reference),
            request, heard.blend, sound.frames, sound.tail, rate_hz, heard.loop,
        )  # fmt: skip
        recipe = recipe_of(pair, Place(heard.blend), self._jobs.host.facts)
        played = {"frames": sound.frames, "tail": sound.tail, "mixed": heard.mixed}
        about = {"eutectic": recipe, "favourite": played}
        tags = Tags(recipe.title, msgspec.json.encode(about).decode())
        save_wav(path, Waveform(sound.samples, rate_hz), tags)
        return kept

    def _new_file(self, name: str) -> Path:
        """A path that is free: files of other sessions, and of favourites that are freed, stay.

        Raises:
            BadOutput: the folder can't be made.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadOutput(f"{self._folder}: can't be made ({error.strerror})") from None
        for number in itertools.count(1):
            path = self._folder / (f"{name}.wav" if number == 1 else f"{name}-{number}.wav")
            if not path.exists():
                check_free(path)
                return path
        raise AssertionError  # numbers don't end

    async def _sound(self, kept: KeptFavourite) -> Sound:
        """A favourite's sound, at the rate of playing.

        Raises:
            NoFile, BadInput: its file is gone, or isn't what was written.
        """
        ready = self._jobs.shelf.memory.get(_key(kept))
        if ready is None:
            sound = await asyncio.to_thread(_read, kept, self._jobs.rate_hz)
            self._remember(kept, sound)
            return sound
        return ready.sound

    def _remember(self, kept: KeptFavourite, sound: Sound) -> None:
        ready = Ready(sound, kept.blend)
        self._jobs.shelf.memory.put(_key(kept), ready, sound.samples.nbytes)


def _key(kept: KeptFavourite) -> str:
    return f"favourite {kept.digest}"


def _is_gone(path: str) -> bool:
    try:
        return not names.found(Path(path)).is_file()
    except OSError:
        return True


def _mixed(pair: Pair, request: Fuse, at: tuple[float, float], loop: bool, fan: Fan) -> _Heard:
    """What is heard of a fan's complete sounds at a blend and y."""
    nodes = fan.nodes(0, fan.frames + fan.tail)
    assert nodes is not None  # there is at least the one that plays
    blend, y = at
    course = nodes.gains(np.array([blend]), np.array([y]))
    gains = {index: gain[0] for index, gain in course.items()}
    sounds = {index: sound for index in gains if (sound := fan.sounds[index]) is not None}
    whole = sum(gains[index] * sound.samples for index, sound in sounds.items())
    assert isinstance(whole, np.ndarray)
    mixed = [(fan.blends[index], fan.ys[index], float(gain)) for index, gain in gains.items()]
    return _Heard(pair, request, blend, loop, Sound.of(whole, fan.tail), mixed)


def _read(kept: KeptFavourite, rate_hz: int) -> Sound:
    """A favourite's sound, checked, at another rate if need be.

    Raises:
        NoFile, BadInput: its file is gone, or isn't what was written.
    """
    import soundfile

    try:
        path = names.found(Path(kept.path))
        read = soundfile.read(path, dtype="float32", always_2d=True)[0]
    except (OSError, soundfile.LibsndfileError):
        raise NoFile(f"favourite {kept.name}: {kept.path} is gone, or is no sound") from None
    samples: Samples = np.ascontiguousarray(read.T, np.float32)
    if digest_of(samples) != kept.digest:
        raise BadInput(f"favourite {kept.name}: {kept.path} isn't the sound that was kept")
    if rate_hz == kept.rate_hz:
        return Sound.of(samples, kept.tail)
    return Sound.of(*_at_rate(samples, kept, rate_hz))


def _at_rate(samples: Samples, kept: KeptFavourite, rate_hz: int) -> tuple[Samples, int]:
    """Samples with their tail at another rate, and that tail's length."""
    clip, tail = kept.clip, round(kept.tail * rate_hz / kept.rate_hz)
    frames = round(clip.frames * rate_hz / clip.rate_hz)  # as fusions of it have
    other = resample(samples, kept.rate_hz, rate_hz)[:, : frames + tail]
    missing = frames + tail - other.shape[1]
    return np.pad(other, ((0, 0), (0, missing))), tail
