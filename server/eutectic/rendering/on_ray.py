"""A pool on a Ray cluster: an actor for each GPU, or for each processor, that holds the model.

Ray places the actors and carries sounds from node to node. Which worker gets which batch, and what
becomes of a batch whose worker is lost, is decided here: only the plan's order tells what shares a
prefix, and only who gave out a lost worker's batches knows which one it was at. So Ray neither
restarts an actor nor repeats a call; another actor takes the place, wherever there is room.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import msgspec
import ray
from ray.exceptions import RayError, RayTaskError

from eutectic.errors import BadInput
from eutectic.link.errands import Wanted
from eutectic.rendering import cluster, rows
from eutectic.rendering.actor import Actor, Hello, Stored
from eutectic.rendering.destination import Sink
from eutectic.rendering.opening import open_destination
from eutectic.rendering.pool import Done, Reference, Setup
from eutectic.rendering.work import Batch, Piece, Row

AT_ONCE = 2
"""Batches that a worker has: the one it is at, and the next, so that it needn't wait for it."""

AHEAD = 2
"""Batches for each worker among which one is looked for that suits it."""

DEATHS = 2
"""Workers that may be lost at the same piece before it is given up."""

STARTS = 3
"""Workers in a row that may be lost before they have begun."""

LATENTS = 4096
"""Encoded originals that are kept in the cluster's memory: those used last."""

PATIENCE_SECONDS = 0.5
"""Between looks whether to stop, where no worker has anything to say."""

Ref = Any
"""Ray's ObjectRef."""

Order = TypeVar("Order", Batch, Wanted)

_encode = msgspec.msgpack.encode


@dataclass(eq=False)
class _Task(Generic[Order]):
    """What a worker is to do, and how many have been lost at it."""

    order: Order
    deaths: int = 0


class _Tasks(Generic[Order]):
    """What is to be done: first what lost workers have left behind."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._orders = iter(orders)
        self._next: deque[_Task[Order]] = deque()

    def next(self, most: int) -> Sequence[_Task[Order]]:
        """The next that are to be done; fewer than asked for if there are no more."""
        while len(self._next) < most and (order := next(self._orders, None)) is not None:
            self._next.append(_Task(order))
        return self._next

    def take(self, task: _Task[Order]) -> None:
        self._next.remove(task)

    def give_back(self, tasks: Sequence[_Task[Order]]) -> None:
        self._next.extendleft(reversed(tasks))

    def drop(self) -> None:
        """Leave out all that nobody is at."""
        self._orders = iter(())
        self._next.clear()


@dataclass(frozen=True)
class _Work(Generic[Order]):
    """How orders of a kind are carried out.

    `give` sends one to a worker. `receive` takes what came of it. `suits`: how well it fits a
    worker. `split`: the parts to try if a worker is lost at it. `give_up`, with the reason.
    """

    give: Callable[[_Hand, Order], Ref]
    receive: Callable[[bytes], None]
    split: Callable[[Order], list[Order]]
    give_up: Callable[[Order, str], None]
    suits: Callable[[_Hand, Order], float]
    at_once: int


@dataclass(eq=False)
class _Hand:
    """A worker; `tasks`: what it has been given, the first of which it is at."""

    actor: Any
    begun: Ref | None
    name: str = ""
    node: str = ""
    tasks: dict[Ref, _Task[Any]] = field(default_factory=dict[Any, _Task[Any]])
    shares: object = None
    """What its last batch shares with others."""


@dataclass(frozen=True)
class _Latent:
    """An encoded original: where it is kept, who encoded it, and nodes that have had it."""

    ref: Ref
    by: _Hand
    nodes: set[str] = field(default_factory=set[str])


class OnRay:
    """A `Pool` on a cluster (`cluster.connect` says what addresses there are).

    `workers`: how many (default: one for each GPU, or else for each processor). Once `is_stopped`
    is true, workers get nothing more.
    """

    def __init__(
        self,
        setup: Setup,
        address: str,
        workers: int | None = None,
        kind: type[Any] = Actor,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_stopped = is_stopped
        self._setup, self._address, self._workers, self._kind = (
            _whole(setup),
            address,
            workers,
            kind,
        )
        self._share = cluster.Share(0, 0, 0)
        self._hands: list[_Hand] = []
        self._lost = 0
        self._digest = ""
        self._latents: OrderedDict[str, _Latent] = OrderedDict()
        self._references: dict[Wanted, Ref] = {}
        self._sink: Sink | None = None

    @property
    def size(self) -> int:
        return self._share.workers

    def __enter__(self) -> Self:
        cluster.connect(self._address, self._workers)
        try:
            self._share = cluster.share(self._setup.compute, self._workers)
            self._hands = [self._start() for _ in range(self.size)]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        ray.shutdown()  # which ends this run's actors
        if self._sink is not None:
            self._sink.close()

    def learn(self, references: Iterable[Wanted], done: Callable[[Reference], None]) -> None:
        def give(hand: _Hand, wanted: Wanted) -> Ref:
            learn = hand.actor.learn.options(num_returns=2)
            answer, self._references[_bare(wanted)] = learn.remote(_encode(wanted))
            return answer

        work = _Work[Wanted](
            give,
            receive=lambda answer: done(msgspec.msgpack.decode(answer, type=Reference)),
            split=lambda wanted: [wanted],
            give_up=lambda wanted, reason: done(Reference(wanted, reason=reason)),
            suits=lambda _hand, _wanted: 0.0,
            at_once=1,
        )
        self._carry_out(_Tasks(references), work)

    def run(self, batches: Iterator[Batch], done: Done) -> None:
        def receive(answer: bytes) -> None:
            for row in msgspec.msgpack.decode(answer, type=list[Row]):
                done(row)

        def give_up(batch: Batch, reason: str) -> None:
            for row in self._given_up(batch, reason):
                done(row)

        work = _Work[Batch](self._give, receive, _pieces, give_up, self._suits, AT_ONCE)
        self._carry_out(_Tasks(batches), work)

    def _give(self, hand: _Hand, batch: Batch) -> Ref:
        """Have a worker make a batch; originals that nobody has encoded yet it encodes first."""
        sounds = {piece.digest: self._stored(hand, piece) for piece in batch.pieces}
        learned = self._references.get(_bare(batch.reference))
        if learned is None:
            remembered = Piece(batch.reference.source, batch.reference_digest, ())
            reference = self._stored(hand, remembered)
        else:
            reference = [learned]
        hand.shares = _shares(batch)
        return hand.actor.render.remote(_encode(batch), sounds, reference)

    def _stored(self, hand: _Hand, piece: Piece) -> Stored:
        """An original in the cluster's memory, soon after on the worker's node, too."""
        latent = self._latents.get(piece.digest)
        if latent is None:
            alone = msgspec.structs.replace(piece, items=())
            latent = _Latent(hand.actor.encode.remote(_encode(alone)), hand)
            self._latents[piece.digest] = latent
            if len(self._latents) > LATENTS:
                self._latents.popitem(last=False)
        self._latents.move_to_end(piece.digest)
        latent.nodes.add(hand.node)
        return [latent.ref]

    def _suits(self, hand: _Hand, batch: Batch) -> float:
        """Whether a worker has the batch's prefix, and how many originals are on its node."""
        there = sum(
            piece.digest in self._latents and hand.node in self._latents[piece.digest].nodes
            for piece in batch.pieces
        )
        return (hand.shares == _shares(batch)) + there / len(batch.pieces)

    def _carry_out(self, tasks: _Tasks[Order], work: _Work[Order]) -> None:
        """Have orders carried out as workers become free; returns when all are."""
        while True:
            if self._is_stopped():
                tasks.drop()
            self._hand_out(tasks, work)
            if not any(hand.tasks for hand in self._hands) and not tasks.next(1):
                return
            for ref, hand in self._ready():
                if hand in self._hands:
                    self._hear(ref, hand, tasks, work)

    def _hand_out(self, tasks: _Tasks[Order], work: _Work[Order]) -> None:
        """Give the next orders to those who have fewest, and each what suits it best.

        Nobody has one waiting that another could be at.
        """
        while True:
            free = [
                each for each in self._hands if not each.begun and len(each.tasks) < work.at_once
            ]
            near = tasks.next(AHEAD * self.size) if free else ()
            if not free or not near:
                return
            hand = min(free, key=lambda each: len(each.tasks))
            if hand.tasks and len(near) < len(self._hands):
                return
            task = max(near, key=lambda each: work.suits(hand, each.order))
            tasks.take(task)
            hand.tasks[work.give(hand, task.order)] = task

    def _ready(self) -> list[tuple[Ref, _Hand]]:
        """What has been answered, of each worker in the order in which it was asked."""
        asked = {ref: hand for hand in self._hands for ref in (hand.begun, *hand.tasks) if ref}
        ray.wait(list(asked), timeout=PATIENCE_SECONDS)
        ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=0)
        answered = set(ready)
        return [(ref, hand) for ref, hand in asked.items() if ref in answered]

    def _hear(self, ref: Ref, hand: _Hand, tasks: _Tasks[Order], work: _Work[Order]) -> None:
        try:
            answer: Any = ray.get(ref)
        except RayError as error:
            cause = error.cause if isinstance(error, RayTaskError) else None
            if isinstance(cause, BadInput):
                raise cause from None
            self._died(hand, cluster.reason(error), tasks, work)
            return
        if ref == hand.begun:
            self._begin(hand, msgspec.msgpack.decode(answer, type=Hello))
        else:
            del hand.tasks[ref]
            work.receive(answer)

    def _begin(self, hand: _Hand, hello: Hello) -> None:
        """A worker is ready.

        Raises:
            BadInput: it wouldn't make the same as the others.
        """
        if hello.version != version("eutectic"):
            here = version("eutectic")
            raise BadInput(f"{hello.name} has Eutectic {hello.version}, where this is {here}")
        self._digest = self._digest or hello.model_digest
        if hello.model_digest != self._digest:
            raise BadInput(f"{hello.name} has another {self._setup.model} than the other workers")
        hand.begun, hand.name, hand.node, self._lost = None, hello.name, hello.node, 0

    def _died(self, hand: _Hand, reason: str, tasks: _Tasks[Order], work: _Work[Order]) -> None:
        """Give back what a lost worker was given, and start another.

        Raises:
            BadInput: none can be had.
        """
        self._hands.remove(hand)
        with suppress(RayError):
            ray.kill(hand.actor)  # it may only be out of reach
        for digest in [each for each, latent in self._latents.items() if latent.by is hand]:
            del self._latents[digest]
        first, others = list(hand.tasks.values())[:1], list(hand.tasks.values())[1:]
        tasks.give_back(others)
        for task in first:
            if task.deaths + 1 < DEATHS:
                parts = work.split(task.order)
                tasks.give_back([_Task(part, task.deaths + 1) for part in parts])
            else:
                work.give_up(task.order, f"its worker {reason}, {DEATHS} times")
        self._lost = self._lost + 1 if hand.begun else 0
        if self._lost < STARTS:
            self._hands.append(self._start())
        elif not any(each.begun is None for each in self._hands):
            raise BadInput(f"no worker can be started: the last {STARTS} {reason}")

    def _start(self) -> _Hand:
        share = self._share
        kind = ray.remote(self._kind).options(num_cpus=share.processors, num_gpus=share.gpus)
        actor = kind.remote(_encode(self._setup), share.processors)
        return _Hand(actor, actor.begin.remote())

    def _given_up(self, batch: Batch, reason: str) -> Iterator[Row]:
        """Rows of what no worker is left to write."""
        if self._sink is None:
            self._sink = open_destination(self._setup.destination).sink("given up")
        for piece in batch.pieces:
            for item in piece.items:
                yield self._sink.put(rows.failed(batch, piece, item, reason, ""), None, None)


def _whole(setup: Setup) -> Setup:
    """The same for a process in another folder."""
    model, destination = setup.model, setup.destination
    if "://" not in destination:
        destination = str(Path(destination).absolute())
    if Path(model).is_dir():
        model = str(Path(model).absolute())
    return msgspec.structs.replace(setup, model=model, destination=destination)


def _pieces(batch: Batch) -> list[Batch]:
    """A batch for each of its pieces, so that the one which ends workers is alone."""
    return [msgspec.structs.replace(batch, pieces=(piece,)) for piece in batch.pieces]


def _bare(wanted: Wanted) -> Wanted:
    """A reference whatever it is sampled with."""
    return msgspec.structs.replace(wanted, sampling=None, places=())


def _shares(batch: Batch) -> object:
    """What batches with one prefix have in common."""
    return batch.reference, batch.sampling
