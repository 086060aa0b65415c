"""The OSC table as methods, the same for the blocking and the asyncio client."""

from __future__ import annotations

from abc import abstractmethod
from os import PathLike
from typing import Any, Generic, TypedDict, TypeVar

from typing_extensions import Unpack

from eutectic.config import Level, Method, Residual, Solver
from eutectic.osc.packets import Value

Answer_co = TypeVar("Answer_co", covariant=True)
Name = int | str
PathName = str | PathLike[str]


class SamplingOptions(TypedDict, total=False):
    """How a fusion is made; defaults are those of the preset, the session and the model."""

    seed: int
    cfg: float
    negative: str
    steps: int
    order: int
    solver: Solver
    eta: float
    residual: Residual
    residual_amount: float
    recall: float
    slack: float
    start: float
    level: Level
    preset: Name


class FusionOptions(SamplingOptions, total=False):
    """`blend`, 0 the reference … 1 the original; or `remaining` steps after the injection."""

    blend: float
    remaining: int


class PlayingOptions(FusionOptions, total=False):
    """`at_ms`: from now; `velocity`: 127 is full level; `within_ms`: dropped if it is later."""

    loop: int
    at_ms: float
    velocity: float
    within_ms: float


class FanOptions(SamplingOptions, total=False):
    """`even`: 1 for equal steps to the ear."""

    even: int


class LearningOptions(TypedDict, total=False):
    """How a reference is learned; `budget_s` limits the time."""

    steps: int
    budget_s: float
    rank: int
    method: Method


class ClipOptions(TypedDict, total=False):
    """The section of a file, in seconds."""

    start: float
    duration: float


class Methods(Generic[Answer_co]):
    """One method per request; those that are answered return what `ask` returns."""

    @abstractmethod
    def ask(self, address: str, *values: Value, **options: Any) -> Answer_co:
        """Send a request and return its answer; options are those of the table, without @."""

    def ping(self) -> Answer_co:
        return self.ask("/ping")

    def version(self) -> Answer_co:
        return self.ask("/version")

    def status(self) -> Answer_co:
        return self.ask("/status")

    def sync(self) -> Answer_co:
        return self.ask("/sync")

    def models(self) -> Answer_co:
        return self.ask("/model/list")

    def set_model(self, model: str) -> Answer_co:
        return self.ask("/model/set", model)

    def load_clip(self, clip: Name, path: PathName, **options: Unpack[ClipOptions]) -> Answer_co:
        return self.ask("/clip/load", clip, str(path), **options)

    def record_clip(self, clip: Name, seconds: float) -> Answer_co:
        return self.ask("/clip/record", clip, seconds)

    def free_clip(self, clip: Name) -> Answer_co:
        return self.ask("/clip/free", clip)

    def clips(self) -> Answer_co:
        return self.ask("/clip/list")

    def remember(self, reference: Name, clip: Name, *prompt: str) -> Answer_co:
        """Make a clip a reference at once, without learning."""
        return self.ask("/reference/remember", reference, clip, *prompt)

    def learn(
        self, reference: Name, clip: Name, prompt: str, **options: Unpack[LearningOptions]
    ) -> Answer_co:
        return self.ask("/reference/learn", reference, clip, prompt, **options)

    def free_reference(self, reference: Name) -> Answer_co:
        return self.ask("/reference/free", reference)

    def references(self) -> Answer_co:
        return self.ask("/reference/list")

    def fuse(
        self, voice: int, original: Name, reference: Name, **options: Unpack[PlayingOptions]
    ) -> Answer_co:
        """Play a fusion; done when it is completely decoded."""
        return self.ask("/fuse", voice, original, reference, **options)

    def fan(
        self, original: Name, reference: Name, n: int, **options: Unpack[FanOptions]
    ) -> Answer_co:
        return self.ask("/fan", original, reference, n, **options)

    def render(
        self, original: Name, reference: Name, path: PathName, **options: Unpack[FusionOptions]
    ) -> Answer_co:
        return self.ask("/render", original, reference, str(path), **options)

    def cancel(self, request: int) -> Answer_co:
        return self.ask("/cancel", request)

    def save_preset(self, name: Name) -> Answer_co:
        return self.ask("/preset/save", name)

    def load_preset(self, name: Name) -> Answer_co:
        return self.ask("/preset/load", name)

    def presets(self) -> Answer_co:
        return self.ask("/preset/list")

    def save_session(self, *name: Name) -> Answer_co:
        return self.ask("/session/save", *name)

    def devices(self) -> Answer_co:
        return self.ask("/device/list")

    def set_device(self, device: str) -> Answer_co:
        return self.ask("/device/set", device)

    def start_recording(self, path: PathName) -> Answer_co:
        return self.ask("/record/start", str(path))

    def stop_recording(self) -> Answer_co:
        return self.ask("/record/stop")

    def learn_midi(self, target: str) -> Answer_co:
        return self.ask("/midi/learn", target)

    # Not answered, since they may be sent many times a second

    @abstractmethod
    def send(self, address: str, *values: Value) -> None:
        """Send one message."""

    def notify(self, on: bool = True, meter: bool = False) -> None:
        """Subscribe to events, or unsubscribe."""
        self.send("/notify", int(on), "@meter", int(meter))

    def scrub(self, voice: int, blend: float) -> None:
        self.send("/scrub", voice, blend)

    def stop(self, voice: int, *fade_ms: float) -> None:
        self.send("/stop", voice, *fade_ms)

    def panic(self) -> None:
        self.send("/panic")

    def clear_schedule(self) -> None:
        self.send("/schedule/clear")

    def set_voice(self, voice: int, what: str, value: float) -> None:
        self.send("/voice/set", voice, what, value)

    def set_master_gain(self, gain_db: float) -> None:
        self.send("/master/gain", gain_db)
