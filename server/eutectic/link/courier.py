"""Files that jobs need, taken to the engine's machine before them, unless they are there.

What the engine had before is known by its key, as on this machine: only if it isn't, the file is
read. Only if nothing like it has ever come there, it goes.
"""

from __future__ import annotations

import asyncio
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

Stamp = tuple[object, ...]

_UNKNOWN = "no_file", "bad_audio", "bad_reference"
"""What the engine says of a key that it doesn't know."""

_digests: OrderedDict[Stamp, str] = OrderedDict()
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
        self._by_key: dict[int, Load | AddLora] = {}
        """Jobs that have been sent without their files."""

    def take(self, command: Filed) -> None:
        """Send a job, after its file if the engine may not have that."""
        if isinstance(command, Adopt) or not command.key:
            self._take(command)
        else:
            self._by_key[command.job] = command
            self._put(command)

    def ended(self, result: link.Done | link.Failed) -> bool:
        """Whether a job is over; one that failed for want of its file is sent again with that."""
        command = self._by_key.pop(result.job, None)
        if command is None or not isinstance(result, link.Failed) or result.code not in _UNKNOWN:
            return True
        self._take(command)
        return False

    def _take(self, command: Filed) -> None:
        task = asyncio.ensure_future(self._deliver(command))
        self._tasks[command.job] = task
        task.add_done_callback(partial(self._delivered, command.job))

    def _put(self, command: Filed, digest: str = "", name: str = "") -> None:
        self._outbox.put(command.job, command.priority, wire.Do(command, digest, name))

    def cancel(self, job: int) -> None:
        """Take no more of a job's file."""
        self._by_key.pop(job, None)
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

    async def _deliver(self, command: Filed) -> None:
        """Send a job and its file.

        Raises:
            EutecticError: that can't be read.
        """
        path = path_of(command)
        name = parcels.SOUND if isinstance(command, Load) else Path(path).name
        stamp = await self._stamp(command, path)
        digest = _digests.get(stamp, "")
        if not (digest and await self._is_there(digest, name)):
            async with self._readers:
                parcel = await answered(path, partial(self._parcel, command))
                _remember(stamp, parcel.digest)
                digest = parcel.digest
                async with self._sending[digest]:
                    if not await self._is_there(digest, name):
                        await self._send_parcel(command, parcel)
        self._put(command, digest, name)

    def _delivered(self, job: int, task: asyncio.Task[None]) -> None:
        del self._tasks[job]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, EutecticError):
            log.error("job %d", job, exc_info=error)
        self._say(link.Failed(job, getattr(error, "code", "internal"), str(error)))

    async def _stamp(self, command: Filed, path: str) -> Stamp:
        """What a parcel's bytes follow from; nothing that is known if the file can't be found."""
        what = command.source if isinstance(command, Load) else path
        facts = self.facts
        form = None if facts is None else (facts.rate_hz, facts.channels, facts.max_seconds)
        try:
            return what, form, *await answered(path, lambda _: parcels.stamp(path))
        except OSError:
            return (object(),)

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


def _remember(stamp: Stamp, digest: str) -> None:
    _digests[stamp] = digest
    while len(_digests) > MAX_DIGESTS:
        _digests.popitem(last=False)
