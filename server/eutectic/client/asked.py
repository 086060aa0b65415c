"""Requests as methods, written once: the blocking client returns values, the other awaits them."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from eutectic.client.replies import AnyAnswer, NoAnswer, Reply
from eutectic.osc.packets import Value

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Asked(Generic[Result]):
    """A request, and how its value is read from the reply."""

    read: Callable[[Reply], Result]
    address: str
    values: tuple[Value, ...] = ()
    options: dict[str, Any] = field(default_factory=dict[str, Any])


class Blocking(ABC):
    """A client whose methods return once they are answered."""

    @abstractmethod
    def run(self, asked: Asked[Result]) -> Result:
        """Send a request and return its value."""


class Awaiting(ABC):
    """A client whose methods are awaited."""

    @abstractmethod
    async def run(self, asked: Asked[Result]) -> Result:
        """Send a request and return its value."""


class Asking(Generic[Parameters, Result]):
    """Decorates a method that makes a request: calling it sends that, and gives its value."""

    def __init__(self, make: Callable[Concatenate[Any, Parameters], Asked[Result]]) -> None:
        self.make, self.__doc__ = make, make.__doc__

    @overload
    def __get__(self, client: None, kind: type) -> Self: ...
    @overload
    def __get__(self, client: Blocking, kind: type) -> Callable[Parameters, Result]: ...
    @overload
    def __get__(self, client: Awaiting, kind: type) -> Callable[Parameters, Awaitable[Result]]: ...

    def __get__(self, client: Any, kind: type) -> Any:
        if client is None:
            return self
        bound = functools.partial(self.make, client)

        @functools.wraps(self.make)
        def call(*values: Parameters.args, **options: Parameters.kwargs) -> Any:
            return client.run(bound(*values, **options))

        return call


def nothing(_reply: Reply) -> None:
    """Read nothing."""


def listed(kind: type[AnyAnswer]) -> Callable[[Reply], list[AnyAnswer]]:
    """Read all answers of a kind."""
    return lambda reply: reply.of(kind)


def found(kind: type[Result]) -> Callable[[Reply], Result]:
    """Read what `/done` reports.

    Raises:
        NoAnswer: a daemon of another version reports something else.
    """

    def read(reply: Reply) -> Result:
        if not isinstance(reply.found, kind):
            raise NoAnswer(f"the daemon, of another version, reports {reply.found!r}")
        return reply.found

    return read
