"""The OSC table as methods, the same for the blocking and the asyncio client.

They return values: `clips()[0].seconds`, `status().voices[0].blend`, `render(...).path`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from typing_extensions import Unpack

from eutectic.client.asked import Asked, Asking, found, listed, nothing
from eutectic.client.options import (
    ClipOptions,
    FanOptions,
    FusionOptions,
    GrabOptions,
    LearningOptions,
    LiveOptions,
    LoraOptions,
    MomentOptions,
    Name,
    NoteOptions,
    PairOptions,
    PathName,
    PlacesOptions,
    PlayingOptions,
    RecordingOptions,
    RecordOptions,
    SessionOptions,
)
from eutectic.client.replies import Reply, with_options
from eutectic.client.values import Loaded, Status
from eutectic.osc import answers
from eutectic.osc.packets import Value
from eutectic.osc.requests.voices import FilterKind


def _pair(reply: Reply) -> answers.PairReply:
    return reply.of(answers.PairReply)[0]


def _version(reply: Reply) -> str:
    return reply.of(answers.VersionReply)[0].text


class Methods(ABC):
    """One method per request; options are those of the table, without @."""

    @Asking
    def ping(self) -> Asked[None]:
        return Asked(nothing, "/ping")

    @Asking
    def version(self) -> Asked[str]:
        return Asked(_version, "/version")

    @Asking
    def status(self) -> Asked[Status]:
        return Asked(Status.of, "/status")

    @Asking
    def sync(self) -> Asked[None]:
        return Asked(nothing, "/sync")

    @Asking
    def models(self) -> Asked[list[answers.Model]]:
        return Asked(listed(answers.Model), "/model/list")

    @Asking
    def set_model(self, model: str) -> Asked[None]:
        return Asked(nothing, "/model/set", (model,))

    @Asking
    def engine_where(self, *place: str) -> Asked[answers.EnginePlace]:
        """Where the engine is; with `HOST:PORT`, or `local`, that one takes its place.

        Where it can't be used, nothing changes.
        """
        return Asked(found(answers.EnginePlace), "/engine/where", place)

    @Asking
    def load_clip(self, clip: Name, path: PathName, **options: Unpack[ClipOptions]) -> Asked[None]:
        return Asked(nothing, "/clip/load", (clip, str(path)), {**options})

    @Asking
    def record_clip(
        self, clip: Name, *seconds: float, **options: Unpack[RecordOptions]
    ) -> Asked[None]:
        """Record so many seconds, or until it is stopped."""
        return Asked(nothing, "/clip/record", (clip, *seconds), {**options})

    @Asking
    def stop_clip(self, *clip: Name, **options: Unpack[MomentOptions]) -> Asked[None]:
        """End the recording of a clip, or of all."""
        return Asked(nothing, "/clip/record/stop", clip, {**options})

    @Asking
    def grab_clip(self, clip: Name, seconds: float, **options: Unpack[GrabOptions]) -> Asked[None]:
        """Make a clip of what was heard in the last seconds."""
        return Asked(nothing, "/clip/grab", (clip, seconds), {**options})

    @Asking
    def free_clip(self, clip: Name) -> Asked[None]:
        return Asked(nothing, "/clip/free", (clip,))

    @Asking
    def clips(self) -> Asked[list[answers.Clip]]:
        return Asked(listed(answers.Clip), "/clip/list")

    @Asking
    def remember(self, reference: Name, clip: Name, *prompt: str) -> Asked[None]:
        """Make a clip a reference at once, without learning."""
        return Asked(nothing, "/reference/remember", (reference, clip, *prompt))

    @Asking
    def learn(
        self, reference: Name, clip: Name, prompt: str, **options: Unpack[LearningOptions]
    ) -> Asked[answers.Learned]:
        return Asked(
            found(answers.Learned), "/reference/learn", (reference, clip, prompt), {**options}
        )

    @Asking
    def load_reference(
        self, reference: Name, path: PathName, **options: Unpack[LoraOptions]
    ) -> Asked[answers.LoraLoaded]:
        """Make a LoRA file a reference."""
        return Asked(
            found(answers.LoraLoaded), "/reference/load", (reference, str(path)), {**options}
        )

    @Asking
    def free_reference(self, reference: Name) -> Asked[None]:
        return Asked(nothing, "/reference/free", (reference,))

    @Asking
    def delete_reference(self, reference: Name) -> Asked[answers.Deleted]:
        """Remove a reference, and the file of what was learned."""
        return Asked(found(answers.Deleted), "/reference/delete", (reference,))

    @Asking
    def references(self) -> Asked[list[answers.Reference]]:
        return Asked(listed(answers.Reference), "/reference/list")

    @Asking
    def fuse(
        self, voice: int, original: Name, reference: Name, **options: Unpack[PlayingOptions]
    ) -> Asked[None]:
        """Play a fusion; done when it is completely decoded. `events` tell when it is heard."""
        return Asked(nothing, "/fuse", (voice, original, reference), {**options})

    @Asking
    def fan(
        self, original: Name, reference: Name, n: int, **options: Unpack[FanOptions]
    ) -> Asked[None]:
        return Asked(nothing, "/fan", (original, reference, n), {**options})

    @Asking
    def pair(
        self, original: Name, reference: Name, **options: Unpack[PairOptions]
    ) -> Asked[answers.PairReply]:
        """Whether a pair can be played now, and how soon it would be heard."""
        return Asked(_pair, "/pair", (original, reference), {**options})

    @Asking
    def places(
        self, original: Name, reference: Name, **options: Unpack[PlacesOptions]
    ) -> Asked[list[answers.FanReply]]:
        """The places of a pair's fan."""
        return Asked(listed(answers.FanReply), "/fan/list", (original, reference), {**options})

    @Asking
    def voices(self) -> Asked[list[answers.VoiceState]]:
        return Asked(listed(answers.VoiceState), "/voice/list")

    @Asking
    def render(
        self, original: Name, reference: Name, path: PathName, **options: Unpack[FusionOptions]
    ) -> Asked[answers.SoundFile]:
        return Asked(
            found(answers.SoundFile), "/render", (original, reference, str(path)), {**options}
        )

    @Asking
    def cancel(self, request: int) -> Asked[None]:
        return Asked(nothing, "/cancel", (request,))

    @Asking
    def save_preset(self, name: Name) -> Asked[None]:
        return Asked(nothing, "/preset/save", (name,))

    @Asking
    def load_preset(self, name: Name) -> Asked[Loaded]:
        return Asked(Loaded.of, "/preset/load", (name,))

    @Asking
    def presets(self) -> Asked[list[answers.Preset]]:
        return Asked(listed(answers.Preset), "/preset/list")

    @Asking
    def save_session(self, *name: Name) -> Asked[answers.SavedFile]:
        return Asked(found(answers.SavedFile), "/session/save", (*name,))

    @Asking
    def sessions(self) -> Asked[list[answers.Session]]:
        return Asked(listed(answers.Session), "/session/list")

    @Asking
    def load_session(self, name: Name, **options: Unpack[SessionOptions]) -> Asked[None]:
        """Go on with a session that was saved; the one in use is saved first."""
        return Asked(nothing, "/session/load", (name,), {**options})

    @Asking
    def new_session(self, name: Name, **options: Unpack[SessionOptions]) -> Asked[None]:
        """Go on with a new, empty session; the one in use is saved first."""
        return Asked(nothing, "/session/new", (name,), {**options})

    @Asking
    def pack_session(self, path: PathName) -> Asked[answers.SavedFile]:
        """Pack the session with all its sounds into one file."""
        return Asked(found(answers.SavedFile), "/session/pack", (str(path),))

    @Asking
    def keep_favourite(self, name: Name, *voice: int) -> Asked[answers.KeptSound]:
        """Keep what a voice plays; of none, the one in focus."""
        return Asked(found(answers.KeptSound), "/favourite/keep", (name, *voice))

    @Asking
    def play_favourite(
        self, name: Name, *voice: int, **options: Unpack[MomentOptions]
    ) -> Asked[None]:
        return Asked(nothing, "/favourite/play", (name, *voice), {**options})

    @Asking
    def favourites(self) -> Asked[list[answers.Favourite]]:
        return Asked(listed(answers.Favourite), "/favourite/list")

    @Asking
    def free_favourite(self, name: Name) -> Asked[None]:
        """Remove a favourite; its file stays."""
        return Asked(nothing, "/favourite/free", (name,))

    @Asking
    def devices(self) -> Asked[list[answers.Device]]:
        return Asked(listed(answers.Device), "/device/list")

    @Asking
    def set_device(self, device: str) -> Asked[None]:
        return Asked(nothing, "/device/set", (device,))

    @Asking
    def inputs(self) -> Asked[list[answers.Device]]:
        return Asked(listed(answers.Device), "/input/list")

    @Asking
    def set_input(self, device: str) -> Asked[None]:
        """`off` for none."""
        return Asked(nothing, "/input/set", (device,))

    @Asking
    def start_recording(
        self, path: PathName, **options: Unpack[RecordingOptions]
    ) -> Asked[answers.SavedFile]:
        return Asked(found(answers.SavedFile), "/record/start", (str(path),), {**options})

    @Asking
    def stop_recording(self, **options: Unpack[MomentOptions]) -> Asked[answers.SoundFile]:
        return Asked(found(answers.SoundFile), "/record/stop", (), {**options})

    @Asking
    def set_clock(self, source: str) -> Asked[answers.ClockInUse]:
        """`internal`, `link`, or `midi` and maybe the name of an input."""
        return Asked(found(answers.ClockInUse), "/tempo/clock", (source,))

    @Asking
    def replay(self, path: PathName) -> Asked[answers.Replayed]:
        """Play a show again, from the file of its events; done when it is over."""
        return Asked(found(answers.Replayed), "/replay", (str(path),))

    @Asking
    def learn_midi(self, target: str) -> Asked[answers.LearnedControl]:
        return Asked(found(answers.LearnedControl), "/midi/learn", (target,))

    # Not answered, since they may be sent many times a second

    @abstractmethod
    def send(self, address: str, *values: Value) -> None:
        """Send one message."""

    def notify(self, on: bool = True, meter: bool = False) -> None:
        """Subscribe to events, or unsubscribe."""
        self.send("/notify", int(on), "@meter", int(meter))

    def scrub(self, voice: int, blend: float, *y: float) -> None:
        self.send("/scrub", voice, blend, *y)

    def pad(self, voice: int, *corners: str, loop: bool | None = None) -> None:
        """Play four fusions, `original:reference` or `original:reference:blend`, on a voice.

        In the corners x 0 and y 0, x 1 and y 0, x 0 and y 1, x 1 and y 1; as a loop if the voice
        plays loops, or as `loop` says.
        """
        self.send("/pad/xy", voice, *corners, *(() if loop is None else ("@loop", int(loop))))

    def stop(self, voice: int, *fade_ms: float, **options: Unpack[MomentOptions]) -> None:
        self.send("/stop", *with_options((voice, *fade_ms), {**options}))

    def set_tempo(self, bpm: float, *beat: float) -> None:
        self.send("/tempo", bpm, *beat)

    def tap_tempo(self) -> None:
        self.send("/tempo/tap")

    def run_tempo(self, on: bool) -> None:
        """Let the beats run, or hold them."""
        self.send("/tempo/run", int(on))

    def live(self, voice: int, reference: Name, **options: Unpack[LiveOptions]) -> None:
        """Fuse what comes in, over and over, always as late; `/live` events tell how it goes."""
        self.send("/live", *with_options((voice, reference), {**options}))

    def stop_live(self, *voice: int, **options: Unpack[MomentOptions]) -> None:
        self.send("/live/stop", *with_options(voice, {**options}))

    def panic(self) -> None:
        self.send("/panic")

    def clear_schedule(self) -> None:
        self.send("/schedule/clear")

    def set_voice(self, voice: int, what: str, value: float) -> None:
        self.send("/voice/set", voice, what, value)

    def note(
        self, voice: int, note: float, velocity: float, **options: Unpack[NoteOptions]
    ) -> None:
        """Strike a key, of the voice in focus for 0; or let it go, with velocity 0."""
        self.send("/note", *with_options((voice, note, velocity), {**options}))

    def set_envelope(
        self, voice: int, attack_ms: float, decay_ms: float, sustain: float, release_ms: float
    ) -> None:
        self.send("/envelope", voice, attack_ms, decay_ms, sustain, release_ms)

    def focus(self, voice: int) -> None:
        self.send("/focus", voice)

    def undo(self, voice: int) -> None:
        """Go back to what a voice played before, as it was."""
        self.send("/undo", voice)

    def redo(self, voice: int) -> None:
        self.send("/redo", voice)

    def set_filter(self, voice: int, kind: FilterKind, *cutoff_hz_and_resonance: float) -> None:
        self.send("/voice/filter", voice, kind, *cutoff_hz_and_resonance)

    def set_send(self, voice: int, send: int, out: int, *gain_db: float) -> None:
        self.send("/voice/send", voice, send, out, *gain_db)

    def set_master_gain(self, gain_db: float) -> None:
        self.send("/master/gain", gain_db)
