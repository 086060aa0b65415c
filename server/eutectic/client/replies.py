"""What the daemon answers to one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eutectic.errors import EutecticError
from eutectic.osc.answers import Answer, Done, Ended, Fail, FanReady, Started, starts_with_id
from eutectic.osc.packets import Value
from eutectic.osc.request import Request
from eutectic.osc.spec import PREFIX, BadRequest, annotated_arguments
from eutectic.osc.table import spec_of

PING_SECONDS, LOST_SECONDS = 1.0, 10.0
"""A daemon that has been silent for so long is asked whether it is there; for so long, it isn't."""

AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


class RequestFailed(EutecticError):
    """The daemon answered `/fail`; `code` is its word for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class NoAnswer(EutecticError):
    """No answer arrived in time."""

    code = "no_answer"


@dataclass(frozen=True)
class Reply:
    """A request's outcome.

    Attributes:
        found: what its `/done` reports, as `osc.answers` defines it for this request, such as
            `SoundFile` for `/render`; None if it reports nothing.
        answers: everything that was sent for it before that.
    """

    found: Any
    answers: list[Answer] = field(default_factory=list[Answer])

    def of(self, kind: type[AnyAnswer]) -> list[AnyAnswer]:
        """The answers of one kind."""
        return [answer for answer in self.answers if isinstance(answer, kind)]


def heard(reply: Reply) -> list[Answer]:
    """What of a reply is an event, too, for those who wait for it: that a fusion sounds."""
    return [answer for answer in reply.answers if isinstance(answer, Started | Ended | FanReady)]


def ends(answer: Answer, address: str, number: int) -> bool:
    """Whether an answer is the last one to a request."""
    return isinstance(answer, Done | Fail) and (
        (answer.request, answer.id) == (PREFIX + address, number)
    )


def outcome(address: str, last: Answer, earlier: list[Answer]) -> Reply:
    """A request's reply from its last answer and those before.

    Raises:
        RequestFailed: it failed.
    """
    if isinstance(last, Fail):
        raise RequestFailed(last.code, last.text)
    assert isinstance(last, Done)
    return Reply(_found(address, last.found), earlier)


def is_for(answer: Answer, number: int) -> bool:
    """Whether an answer, not a request's last, starts with this request's id."""
    return starts_with_id(answer) and getattr(answer, "id", None) == number


def lists(answer: Answer, address: str) -> bool:
    """Whether a request lists answers of this kind, which have no id."""
    try:
        kinds = spec_of(address).answers
    except BadRequest:
        return False
    return answer.address in kinds and not hasattr(answer, "id")


def check_answered(address: str) -> None:
    """Check that a request is one that is answered, as far as this version knows it.

    Raises:
        BadRequest: it never is.
    """
    try:
        is_answered = spec_of(address).has_id
    except BadRequest:  # the daemon's version may know it
        return
    if not is_answered:
        raise BadRequest("bad_arguments", f"{address} is never answered; send it instead")


def with_options(values: Sequence[Value], options: Mapping[str, Any]) -> tuple[Value, ...]:
    """A request's values followed by its options, as they are sent; `from_` is @from."""
    flat = [part for name, value in options.items() for part in (f"@{name.rstrip('_')}", value)]
    return (*values, *flat)


def _found(address: str, values: tuple[Value, ...]) -> Any:
    kind = spec_of(address).message
    if not issubclass(kind, Request) or kind.found is None:
        return None
    if len(values) != len(annotated_arguments(kind.found)):
        return values  # a daemon of another version
    build: Any = kind.found
    return build(*values)
