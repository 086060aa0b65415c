"""Files that jobs need, taken to the engine's machine before them, unless they are there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from eutectic.errors import EutecticError
from eutectic.files.stalls import answered
from eutectic.link import messages as wire
from eutectic.link import parcels
from eutectic.link import protocol as link
from eutectic.link.messages import PART_BYTES, Message
from eutectic.link.outbox import Frame, Outbox
from eutectic.link.parcels import Parcel
from eutectic.link.protocol import AddLora, Adopt, Load, ModelFacts, Result

log = logging.getLogger("eutectic.link")

READERS = 2
"""Files that are read at once: each may be in memory as a whole."""

SENT_SECONDS = 0.1
"""Between reports of how much of a file has gone."""

MAX_DIGESTS = 4096

Filed = Load | AddLora | Adopt
"""Commands that name a file."""

_digests: OrderedDict[tuple[object, ...], str] = OrderedDict()
"""Of files that were read, by what they are and when they were changed; in this process."""


class Courier:
    """Takes the files of jobs over one wire; owned by the event loop.

    `send` hands a message to the network, `say` gives the host a result.

    Attributes:
        facts: about the model that sections are read for.
    """

    def __init__(
        self, outbox: Outbox, send: Callable[[Message, Frame | None], None],
        say: Callable[[Result], None],
    ) -> None:  # fmt: skip
        self._outbox, self._send, self._say = outbox, send, say
        self.facts: ModelFacts | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._asked: dict[tuple[str, str], asyncio.Future[bool]] = {}
        self._readers = asyncio.Semaphore(READERS)
        self._sending: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._excuses: dict[int, EutecticError] = {}
        """Why a job's file couldn't be read, which the other side may know anyway."""

    def take(self, command: Filed) -> None:
        """Send a job, after its file."""
        task = asyncio.ensure_future(self._deliver(command))
        self._tasks[command.job] = task
        task.add_done_callback(partial(self._delivered, command.job))

    def cancel(self, job: int) -> None:
        """Take no more of a job's file."""
        task = self._tasks.get(job)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Take no more at all."""
        for task in self._tasks.values():
            task.cancel()

    def has(self, message: wire.Has) -> None:
        """The other side has a file, or hasn't."""
        asked = self._asked.pop((message.digest, message.name), None)
        if asked is not None and not asked.done():
            asked.set_result(message.is_there)

    def explained(self, result: link.Done | link.Failed) -> link.Done | link.Failed:
        """A job's end; if it failed for want of its file, with the reason why that wasn't sent."""
        excuse = self._excuses.pop(result.job, None)
        if excuse is None or not isinstance(result, link.Failed):
            return result
        return link.Failed(result.job, excuse.code, str(excuse))

    async def _deliver(self, command: Filed) -> None:
        async with self._readers:
            try:
                digest, name = await self._delivered_file(command)
            except EutecticError as error:
                if isinstance(command, Adopt) or not command.key:
                    raise
                self._excuses[command.job] = error
                digest = name = ""
        self._outbox.put(command.job, command.priority, wire.Do(command, digest, name))

    def _delivered(self, job: int, task: asyncio.Task[None]) -> None:
        del self._tasks[job]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, EutecticError):
            log.error("job %d", job, exc_info=error)
        self._say(link.Failed(job, getattr(error, "code", "internal"), str(error)))

    async def _delivered_file(self, command: Filed) -> tuple[str, str]:
        """Have a command's file over there; its digest, and what it is called there.

        Raises:
            EutecticError: it can't be read.
        """
        path = path_of(command)
        name = parcels.SOUND if isinstance(command, Load) else Path(path).name
        stamp = await self._stamp(command, path)
        digest = _digests.get(stamp, "")
        if digest and await self._is_there(digest, name):
            return digest, name
        parcel = await answered(path, partial(self._parcel, command))
        _remember(stamp, parcel.digest)
        async with self._sending[parcel.digest]:
            if not await self._is_there(parcel.digest, name):
                await self._send_parcel(command, parcel)
        return parcel.digest, name

    async def _stamp(self, command: Filed, path: str) -> tuple[object, ...]:
        """What a parcel's bytes follow from."""
        what = command.source if isinstance(command, Load) else path
        facts = self.facts
        form = None if facts is None else (facts.rate_hz, facts.channels, facts.max_seconds)
        with contextlib.suppress(OSError):
            return what, form, *await answered(path, lambda _: parcels.stamp(path))
        return what, form

    def _parcel(self, command: Filed, alive: Callable[[], None]) -> Parcel:
        if not isinstance(command, Load):
            return parcels.whole(Path(command.path), alive)
        assert self.facts is not None  # as the host sends nothing before
        return parcels.sound(command.source, self.facts, alive)

    async def _is_there(self, digest: str, name: str) -> bool:
        asked = self._asked.get((digest, name))
        if asked is None:
            asked = self._asked[digest, name] = asyncio.get_running_loop().create_future()
            self._send(wire.Ask(digest, name), None)
        return await asyncio.shield(asked)

    async def _send_parcel(self, command: Filed, parcel: Parcel) -> None:
        """Queue a file's parts in its job's stream, and wait until the last is on its way."""
        gone = asyncio.get_running_loop().create_future()
        reported = time.monotonic()

        def read(at: int) -> bytes:
            nonlocal reported
            stop = min(at + PART_BYTES, parcel.size)
            if stop == parcel.size and not gone.done():
                gone.set_result(None)
            now = time.monotonic()
            if now - reported >= SENT_SECONDS:
                reported = now
                self._say(link.Progress(command.job, link.SENDING, stop / parcel.size))
            return parcel.read(at, stop)

        for at in range(0, parcel.size, PART_BYTES):
            size = min(PART_BYTES, parcel.size - at)
            part = wire.Part(parcel.digest, parcel.name, parcel.size, at)
            self._outbox.put(command.job, command.priority, part, size, partial(read, at))
        await gone


def path_of(command: Filed) -> str:
    """Of the file that a command names."""
    return command.source.path if isinstance(command, Load) else command.path


def _remember(stamp: tuple[object, ...], digest: str) -> None:
    _digests[stamp] = digest
    while len(_digests) > MAX_DIGESTS:
        _digests.popitem(last=False)
