"""The base of what the daemon sends, and what several answers have in common."""

from typing import Annotated

from eutectic.osc.spec import Argument, Message

Fraction = Annotated[float, Argument("float", "0 … 1", 0, 1)]
Level = Annotated[float, Argument("float", "dB", -200, 200)]
About = Annotated[int, Argument("int", "of the request; -1 in events", -1)]
By = Annotated[int, Argument("int", "the client that changed it last, by its number; 0: none", 0)]


class Answer(Message, frozen=True):
    """Anything that the daemon sends."""


class Found(Message, frozen=True):
    """What a request reports in its `/done`."""
