"""Back and forth: what each voice played and how it was set, the last steps of it.

Nobody has to say that a step was made: voices are looked at, and what differs is one. So a new
setting of voices can be undone without a line here, as long as sessions keep it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from eutectic.config import Place
from eutectic.errors import EutecticError
from eutectic.fusion_options import fuse_request, place
from eutectic.link.protocol import Priority
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.osc.spec import PREFIX
from eutectic.playback.player import Player
from eutectic.session.fans import Fans
from eutectic.session.jobs import Jobs
from eutectic.session.kept import KeptVoice
from eutectic.session.library import Library
from eutectic.session.options import loops
from eutectic.session.pads import Pads, again
from eutectic.session.pair import Pair
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.shelf import Ready
from eutectic.session.shows import Steps
from eutectic.session.stage import Stage
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Played, Voice
from eutectic.session.voices import Voices

STEPS = 32
"""That a voice can go back."""

GROUP_SECONDS = 1.0
"""Knobs that are turned again within this time go on with the same step."""

KNOBS = ("recall", "strength")
"""Options that a fusion is given when its voice's knobs of these names are turned."""


@dataclass(frozen=True)
class Step:
    """A voice as it was: its settings, its newest fusion, and the pair of that, if resolved."""

    kept: KeptVoice
    pair: Pair | None

    @property
    def fused(self) -> Mapping[str, object]:
        """What makes up its fusion, or its pad, without what knobs turn."""
        options = {name: each for name, each in self.kept.request.items() if name not in KNOBS}
        return options | ({"pad": self.kept.pad} if self.kept.pad else {})

    def only_follows(self, before: Step) -> bool:
        """Whether all that is new is that the fusion now is as the voice's knobs were turned."""
        was, now = before.kept, self.kept
        if msgspec.structs.replace(was, request=now.request) != now or before.fused != self.fused:
            return False
        turned = {name: getattr(now, name) for name in KNOBS}
        return all(now.request.get(name) in (was.request.get(name), turned[name]) for name in KNOBS)


@dataclass
class _Track:
    """A voice's steps; `now` is None while it isn't known, `turned` when a knob last was."""

    undo: deque[Step] = field(default_factory=lambda: deque[Step](maxlen=STEPS))
    redo: list[Step] = field(default_factory=list[Step])
    now: Step | None = None
    turned: float = -GROUP_SECONDS
    busy: int = 0


class History:
    """Steps back and forth; owned by the event loop.

    `held` are numbers of voices that play on from the session before.
    """

    def __init__(
        self, jobs: Jobs, library: Library, references: References, voices: Voices,
        resolver: Resolver, fans: Fans, stage: Stage, pads: Pads, player: Player,
        held: Collection[int],
    ) -> None:  # fmt: skip
        self._jobs, self._library = jobs, library
        self._references, self._voices = references, voices
        self._resolver, self._fans, self._stage = resolver, fans, stage
        self._pads, self._player = pads, player
        self._held = held
        self._tracks = {voice.number: _Track() for voice in voices.all}
        self._changed = set(self._tracks)

    # Requests

    async def undo(self, ticket: Ticket, request: table.Undo) -> None:
        """Go back a step: at the same place in time if that is as long, else from its start."""
        voice = self._voices[request.voice]
        self._see(voice)
        track = self._tracks[voice.number]
        await self._go(ticket, voice, track.undo, track.redo)

    async def redo(self, ticket: Ticket, request: table.Redo) -> None:
        """Go forth again."""
        voice = self._voices[request.voice]
        self._see(voice)
        track = self._tracks[voice.number]
        await self._go(ticket, voice, track.redo, track.undo)

    # What happens without a request

    def changed(self) -> None:
        """Something was set or fused: it is to be looked at."""
        self._changed = set(self._tracks)

    def clear(self) -> None:
        """Forget all steps: another session is in use."""
        self._tracks = {voice.number: _Track() for voice in self._voices.all}

    def kept(self) -> list[Steps]:
        """All steps, voice by voice."""
        return [
            Steps([each.kept for each in track.undo], [each.kept for each in track.redo])
            for track in self._tracks.values()
        ]

    def restore(self, kept: list[Steps]) -> None:
        """Have these steps, and no others."""
        self.clear()
        for steps, track in zip(kept, self._tracks.values(), strict=False):
            track.undo.extend(self._restored(each) for each in steps.undo)
            track.redo.extend(self._restored(each) for each in steps.redo)

    def _restored(self, kept: KeptVoice) -> Step:
        is_fused = bool(kept.request)
        return Step(kept, self._resolver.at_hand(fuse_request(kept.request)) if is_fused else None)

    def look(self) -> None:
        """See which voices have made a step."""
        for voice in self._voices.all:
            self._look_at(voice)

    def before(self, request: table.Request) -> None:
        """See what a voice is before a request changes it, maybe after a moment already."""
        number = getattr(request, "voice", None)
        number = self._voices.focus if number == 0 else number
        if number in self._tracks:
            self._look_at(self._voices[number])

    def _look_at(self, voice: Voice) -> None:
        track = self._tracks[voice.number]
        hand = None if track.now is None else (track.now.kept.blend, track.now.kept.y or 0.0)
        has_moved = hand not in (None, (voice.blend, voice.y))
        if (voice.number in self._changed or has_moved) and voice.pending is None:
            self._see(voice)

    def _see(self, voice: Voice) -> None:
        """See whether a voice has made a step; what it waits for is one, too."""
        track = self._tracks[voice.number]
        self._changed.discard(voice.number)
        if voice.number in self._held:
            track.now = None
        elif not track.busy:
            see(track, self._step(voice), time.monotonic())

    def states(self) -> Iterator[Answer]:
        for number, track in self._tracks.items():
            yield answers.History(number, len(track.undo), len(track.redo))

    # Parts

    def _step(self, voice: Voice) -> Step:
        return Step(self._voices.kept_of(voice), voice.pair)

    async def _go(
        self, ticket: Ticket, voice: Voice, steps: deque[Step] | list[Step],
        others: deque[Step] | list[Step],
    ) -> None:  # fmt: skip
        """Take the last of some steps that still can be, and put what there is to the others."""
        skipped = ""
        while steps and (gone := self._gone(steps[-1])):
            steps.pop()
            skipped = f"{gone}: that step of voice {voice.number} is skipped"
        if not steps:
            forth = "forward" if ticket.address == table.Redo.address else "back"
            raise Refused("nothing_to_undo", skipped or f"voice {voice.number} can't go {forth}")
        if skipped:
            address = PREFIX + ticket.address
            ticket.remark(answers.Fail(address, -1, "nothing_to_undo", skipped))
        track, step = self._tracks[voice.number], steps.pop()
        before = track.now
        if before is not None:
            others.append(before)
        track.now, track.turned = step, -GROUP_SECONDS
        voice.by = ticket.client
        track.busy += 1
        try:
            await self._play(ticket, voice, step)
        except EutecticError:  # it is as if nobody had asked
            if track.busy == 1 and before is not None and others and others[-1] is before:
                steps.append(step)
                others.pop()
                self._set(voice, before)
            raise
        finally:
            track.busy -= 1
            if not track.busy and self._tracks[voice.number] is track:
                track.now = self._step(voice)

    def _gone(self, step: Step) -> str:
        """What of a step's sounds there is no more; empty: it is all there."""
        original, reference = (step.kept.request.get(name) for name in ("original", "reference"))
        if not original:
            return ""
        clip, known = self._library.clips.get(str(original)), step.pair
        if clip is None:
            return f"clip {original} was freed"
        if known is not None and clip.key and known.original.key not in ("", clip.key):
            return f"clip {original} is another sound by now"
        newest = self._references.all.get(str(reference))
        if newest is None:
            return f"reference {reference} was freed"
        if known is not None and newest.known_by != known.reference.known_by:
            return f"reference {reference} is another by now"
        return ""

    async def _play(self, ticket: Ticket, voice: Voice, step: Step) -> None:
        """Set a voice as it was; if it plays, let it go on with what it played."""
        playing = self._voices.meant(voice)
        if voice.pending is not None:
            voice.pending.cancel("undone")
            voice.pending = None
        voice.stop_glide()
        pad = None if step.kept.pad is None else tuple(step.kept.pad)
        request, blend = fuse_request(step.kept.request, voice.number), step.kept.blend
        pair = step.pair or self._resolver.at_hand(request)
        if playing is None or pair is None:
            self._set(voice, step)
            return
        if (pad, pair.key) == (playing[1].pad, playing[1].pair.key):
            before = voice.loop, loops(voice.request or request, voice.loop)
            self._voices.restore(None, [step.kept])  # what plays follows knobs that are turned
            voice.pair = pair
            if before != (voice.loop, loop := loops(request, voice.loop)):
                self._player.set_loop(voice.number, loop)
            return
        if pad is not None:
            self._set(voice, step)
            await self._pads.play(ticket, again(step.kept))
            return
        with self._stage.turn(ticket, voice, None):
            found = await self._fans.nearest(pair, blend, [Place(blend), place(request, blend)])
            if found is None:
                self._jobs.check_room()
            self._set(voice, step)
            if found is None:
                if request.remaining is None:
                    request = msgspec.structs.replace(request, blend=blend)
                await self._stage.fuse(ticket, request)
                return
            if self._voices.meant(voice) == playing and _as_long(found, playing[1]):
                self._change(voice, *playing, pair, found)
                voice.pending = None
            else:
                await self._stage.play(ticket, voice, pair, request, found, blend)
            self._fans.prefetch(voice, Priority.AHEAD)

    def _set(self, voice: Voice, step: Step) -> None:
        """Set a voice as it was, whatever it plays."""
        voice.recall, voice.strength = step.kept.recall, step.kept.strength  # nothing follows yet
        self._voices.restore(None, [step.kept])
        voice.pair = step.pair or voice.pair

    def _change(self, voice: Voice, token: int, played: Played, pair: Pair, found: Ready) -> None:
        """Crossfade to another fusion, where the one that plays is."""
        played.fan, played.pair = self._fans.around(pair, found.blend, found.sound), pair
        played.pad = None
        played.request = voice.request or played.request
        played.place, played.knobs, played.asked = Place(voice.blend), pair.knobs, voice.knobs
        self._player.change(voice.number, token, played.fan)
        self._player.set_loop(voice.number, loops(played.request, voice.loop))


def see(track: _Track, seen: Step, now: float) -> None:
    """Go on from what a voice was to what it is, with a step if that differs."""
    before, track.now = track.now, seen
    if before is None or before.kept == seen.kept or seen.only_follows(before):
        return
    is_knob = before.fused == seen.fused
    goes_on = is_knob and now - track.turned < GROUP_SECONDS
    track.turned = now if is_knob else -GROUP_SECONDS
    track.redo.clear()
    if not goes_on and (is_knob or before.fused):
        track.undo.append(before)


def _as_long(ready: Ready, played: Played) -> bool:
    return ready.sound.frames == played.fan.frames
