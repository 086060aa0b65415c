"""The base of all requests, and the options that several have in common."""

from typing import Annotated, Any, ClassVar, Literal, get_args

from eutectic.config import MAX_SEED, MAX_STRENGTH, Level, Residual, Solver
from eutectic.osc import answers
from eutectic.osc.answers import Answer, Found
from eutectic.osc.fields import Id
from eutectic.osc.spec import Message, Option

Due = Literal["begun", "heard", "ignored"]
"""What a time tag sets: when a request is begun, or when it is heard; or nothing."""

JOB = (answers.Queued, answers.Progress)
"""What may come before the `/done` of what the engine does."""


class Request(Message, frozen=True, kw_only=True):
    """A request; `id` is -1 for those that have none.

    `replies` may come before its `/done`, which reports `found`; `hidden` are options that it
    inherits and doesn't take.
    """

    id: int = -1

    replies: ClassVar[tuple[type[Answer], ...]] = ()
    found: ClassVar[type[Found] | None] = None
    hidden: ClassVar[tuple[str, ...]] = ()
    due: ClassVar[Due] = "begun"


class Answered(Request, frozen=True, kw_only=True):
    """A request that ends with exactly one `/done` or `/fail`, to its sender."""

    id: Id  # pyright: ignore[reportGeneralTypeIssues]  # has no default any more


def choice(what: str, literal: Any) -> Option:
    """An option that takes one of a Literal's words."""
    return Option("choice", what, choices=get_args(literal))


AtBeat = Annotated[float | None, Option("float", "the beat of /tempo at which it happens", 0, 1e9)]
Quantise = Annotated[
    float | None, Option("float", "beats; it happens at the next multiple of so many", 0, 1024)
]


class Timed(Request, frozen=True, kw_only=True):
    """When it happens, in musical time."""

    at_beat: AtBeat = None
    quantise: Quantise = None


class PlaceOptions(Answered, frozen=True, kw_only=True):
    """Where the original enters."""

    blend: Annotated[float | None, Option("float", "0 the reference … 1 the original", 0, 1)] = None
    remaining: Annotated[
        int | None, Option("int", "instead of blend: steps left after the injection", 0, 1000)
    ] = None


class FusionOptions(PlaceOptions, frozen=True, kw_only=True):
    """Its place, and how a fusion is sampled."""

    seed: Annotated[
        int | None, Option("int", "the same seed gives the same sound", 0, MAX_SEED)
    ] = None
    cfg: Annotated[float | None, Option("float", "guidance scale; 1 is none", 0, 30)] = None
    apg: Annotated[
        float | None, Option("float", "share of the guidance that is projected; 0 is none", 0, 1)
    ] = None
    negative: Annotated[str | None, Option("text", "prompt to be guided away from")] = None
    steps: Annotated[int | None, Option("int", "sampler steps", 1, 1000)] = None
    order: Annotated[int | None, Option("int", "sampler order", 1, 3)] = None
    solver: Annotated[Solver | None, choice("second-order update, or pingpong", Solver)] = None
    eta: Annotated[float | None, Option("float", "1 SDE … 0 ODE", 0, 1)] = None
    residual: Annotated[Residual | None, choice("how the original is inverted", Residual)] = None
    residual_amount: Annotated[
        float | None, Option("float", "noise of gaussian, pull of rf-inversion", 0, 1)
    ] = None
    recall: Annotated[
        float | None,
        Option("float", "0 what the network has learned … 1 the reference as remembered", 0, 1),
    ] = None
    slack: Annotated[
        float | None, Option("float", "deviation allowed around what is remembered", 0.01, 10)
    ] = None
    start: Annotated[
        float | None, Option("float", "s into the reference, where its memory starts", 0, 86_400)
    ] = None
    strength: Annotated[
        float | None,
        Option("float", "of the learned weights: 0 off, 1 as learned", 0, MAX_STRENGTH),
    ] = None
    level: Annotated[Level | None, choice("match: as loud as the sources", Level)] = None
    preset: Annotated[
        str | None, Option("name", "default options, where the request gives none")
    ] = None


class FuseOptions(FusionOptions, frozen=True, kw_only=True):
    """All of that, and how it is played."""

    loop: Annotated[int | None, Option("int", "1: play it as a loop", 0, 1)] = None
    beats: Annotated[
        float | None, Option("float", "its loop's length, whatever the sound's", 0.0625, 1024)
    ] = None
    at_ms: Annotated[float | None, Option("float", "ms from now", 0, 10_000)] = None
    velocity: Annotated[float | None, Option("float", "127 is full level", 0, 127)] = None
    within_ms: Annotated[
        float | None,
        Option("float", "dropped as too_late if it can't start so soon, or so late", 0, 600_000),
    ] = None
    at_beat: AtBeat = None
    quantise: Quantise = None
