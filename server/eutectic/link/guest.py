"""A daemon's use of an engine, as the engine's machine sees it.

Its jobs get this machine's shared memory and numbers of their own; samples go from there to the
daemon as they are decoded, the most urgent first. When the daemon leaves, or is lost, its jobs are
cancelled, and the engine stays as it is.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from eutectic.link import messages as wire
from eutectic.link import protocol as link
from eutectic.link.courier import Filed, path_of
from eutectic.link.fetcher import give
from eutectic.link.messages import PART_BYTES, Message
from eutectic.link.outbox import Frame, Outbox
from eutectic.link.parcels import Arriving, Received
from eutectic.link.protocol import Canvas, Chunk, Command, Fuse, Load, Result

log = logging.getLogger("eutectic.link")

SAMPLE_BYTES = 4


@dataclass
class _Job:
    """A job of the daemon's: its number there, how urgent it is, and its canvases here.

    `path`: of its file there, which stands for the one here in what is said.
    """

    number: int
    priority: int
    canvases: list[Canvas] = field(default_factory=list[Canvas])
    mapped: list[NDArray[np.float32]] = field(default_factory=list[NDArray[np.float32]])
    path: tuple[str, str] | None = None
    cancelled: bool = False


class Guest:
    """One daemon's use of one engine; owned by the event loop.

    `submit` gives the engine a command; `numbers` are those of its jobs.

    Attributes:
        received: bytes that have come with messages.
    """

    def __init__(
        self, submit: Callable[[Command], None], send: Callable[[Message, Frame | None], None],
        files: Received, numbers: Callable[[], int],
    ) -> None:  # fmt: skip
        self._submit, self._send, self._files, self._number = submit, send, files, numbers
        self._outbox = Outbox(send)
        self._jobs: dict[int, _Job] = {}
        self._own: dict[int, int] = {}
        """Numbers here by those there."""
        self._heard: dict[int, Canvas] = {}
        self._arriving: dict[str, Arriving] = {}
        self._failed: dict[str, str] = {}
        """Why files couldn't be kept, by their digests."""
        self.received = 0

    @property
    def is_busy(self) -> bool:
        """Whether it has jobs."""
        return bool(self._jobs)

    # From the daemon

    def take(self, message: Message, frame: bytes | None) -> None:
        """Act on a message.

        Raises:
            ValueError: it makes no sense.
        """
        if frame is not None:
            self.received += len(frame)
            self._send(wire.Got(self.received), None)
        if isinstance(message, wire.Got):
            self._outbox.arrived(message.size)
        elif isinstance(message, wire.Beat):
            self._send(message, None)
        elif isinstance(message, wire.Ask):
            is_there = self._files.find(message.digest, message.name) is not None
            self._send(wire.Has(message.digest, message.name, is_there), None)
        elif isinstance(message, wire.Part):
            self._take_part(message, frame or b"")
        elif isinstance(message, wire.Want):
            give(self._outbox, self._files.data, message.key)
        elif isinstance(message, wire.Heard):
            self._take_heard(message, frame or b"")
        elif isinstance(message, wire.Do):
            self._do(message)

    def close(self) -> None:
        """Nobody waits for its jobs any more."""
        for number, job in self._jobs.items():
            if not job.cancelled:
                self._submit(link.Cancel(number))
            self._end(job)
        for canvas in self._heard.values():
            canvas.unlink()
        for arriving in self._arriving.values():
            arriving.abandon()
        self._jobs.clear()

    def _do(self, message: wire.Do) -> None:
        command = message.command
        if isinstance(command, link.Cancel):
            self._cancel(command.job)
            return
        number = self._number()
        job = _Job(command.job, command.priority)
        self._jobs[number], self._own[command.job] = job, number
        try:
            if isinstance(command, Fuse):
                command = self._with_canvases(command, job)
            elif isinstance(command, Filed):
                command = self._with_file(command, message, job)
        except OSError as error:
            why = f"no shared memory for it on the engine's machine ({error.strerror})"
            self._fail(number, "no_memory", why)
            return
        except _NoFile as error:
            self._fail(number, "bad_output", str(error))
            return
        self._submit(msgspec.structs.replace(command, job=number))

    def _with_canvases(self, command: Fuse, job: _Job) -> Fuse:
        """A fusion into canvases of this machine.

        Raises:
            OSError: there is no memory for them.
        """
        heard = self._heard.pop(command.job, None)
        if heard is not None:
            job.canvases.append(heard)
        elif command.heard is not None:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        for each in command.canvases:
            job.canvases.append(_like(each))
            job.mapped.append(job.canvases[-1].map())
        mine = job.canvases[-len(command.canvases) :]
        return msgspec.structs.replace(command, canvases=mine, heard=heard)

    def _with_file(self, command: Filed, message: wire.Do, job: _Job) -> Filed:
        """A command whose file is one of this machine.

        Raises:
            _NoFile: it couldn't be kept.
        """
        if message.digest in self._failed:
            raise _NoFile(self._failed.pop(message.digest))
        if message.digest:
            path = str(self._files.path(message.digest, message.name))
        else:  # the engine may know it by its key; else it says that there is none
            path = str(self._files.path("0" * 64, "none"))
        job.path = path, path_of(command)
        self._files.need(Path(path))
        if isinstance(command, Load):
            return msgspec.structs.replace(command, source=link.Source(path))
        return msgspec.structs.replace(command, path=path)

    def _cancel(self, job: int) -> None:
        heard = self._heard.pop(job, None)
        if heard is not None:
            heard.unlink()
        was_sending, number = self._outbox.drop(job), self._own.get(job)
        if number is None:  # its end may have been among what was to be sent
            if was_sending:
                self._send(wire.Said(link.Failed(job, "cancelled", "cancelled")), None)
            return
        known = self._jobs[number]
        known.cancelled = True
        self._free(known)
        self._submit(link.Cancel(number))

    def _take_heard(self, message: wire.Heard, part: bytes) -> None:
        if message.job not in self._heard:
            try:
                self._heard[message.job] = _like(message.canvas)
            except OSError as error:  # its job will not find it, and end
                log.warning("no shared memory for what was heard: %s", error.strerror)
                return
        samples = self._heard[message.job].map().reshape(-1).view(np.uint8)
        samples[message.at : message.at + len(part)] = np.frombuffer(part, np.uint8)

    def _take_part(self, message: wire.Part, part: bytes) -> None:
        digest = message.digest
        try:
            if message.at == 0:
                self._failed.pop(digest, None)
                if digest in self._arriving:
                    self._arriving.pop(digest).abandon()
                self._arriving[digest] = self._files.begin(digest, message.name)
            arriving = self._arriving.get(digest)
            if arriving is None or arriving.size != message.at:
                return
            arriving.take(part)
            if arriving.size >= message.size:
                if not arriving.close():
                    raise OSError(0, "it has changed on its way")
                del self._arriving[digest]
                self._files.keep(arriving.path)
        except OSError as error:
            self._failed[digest] = f"the engine's machine can't keep the file ({error.strerror})"
            log.warning("%s", self._failed[digest])
            if digest in self._arriving:
                self._arriving.pop(digest).abandon()

    # From the engine

    def say(self, result: Result) -> None:
        """Pass on what the engine says."""
        if isinstance(result, link.State | link.ModelFacts | link.Usage):
            self._send(wire.Said(result), None)
            return
        job = self._jobs.get(result.job)
        if job is None:  # an earlier guest's
            return
        number, is_over = result.job, isinstance(result, link.Done | link.Failed)
        if is_over:
            del self._jobs[number]
            if self._own.get(job.number) == number:
                del self._own[job.number]
            self._end(job)
        elif job.cancelled:
            return
        if isinstance(result, Chunk):
            self._send_chunk(job, result)
            return
        if isinstance(result, link.Failed) and job.path is not None:
            text = result.text.replace(*job.path)
            result = msgspec.structs.replace(result, text=text)
        elif isinstance(result, link.Fused):
            result = self._as_fast_as_the_wire(job, result)
        said = wire.Said(msgspec.structs.replace(result, job=job.number))
        self._outbox.put(job.number, job.priority, said)

    def _send_chunk(self, job: _Job, chunk: Chunk) -> None:
        """Queue its samples in parts: the first of them are heard before the last have come."""
        mapped = job.mapped[chunk.index]
        most = PART_BYTES // (SAMPLE_BYTES * len(mapped))
        for start in range(chunk.start, chunk.stop, most):
            stop = min(start + most, chunk.stop)
            part = msgspec.structs.replace(chunk, job=job.number, start=start, stop=stop)
            size = SAMPLE_BYTES * len(mapped) * (stop - start)
            read = partial(_samples, mapped, start, stop)
            self._outbox.put(job.number, job.priority, wire.Said(part), size, read)

    def _as_fast_as_the_wire(self, job: _Job, fused: link.Fused) -> link.Fused:
        """A sound doesn't come faster than the wire takes it, however fast it is decoded."""
        rate, canvas = self._outbox.window.rate, job.canvases[-1]
        if rate is None:
            return fused
        speed = rate / (SAMPLE_BYTES * canvas.channels * canvas.rate_hz)
        return msgspec.structs.replace(fused, speed=min(fused.speed, speed))

    def _fail(self, number: int, code: str, text: str) -> None:
        self.say(link.Failed(number, code, text))

    def _end(self, job: _Job) -> None:
        self._free(job)
        if job.path is not None:
            self._files.release(Path(job.path[0]))

    @staticmethod
    def _free(job: _Job) -> None:
        for canvas in job.canvases:
            canvas.unlink()


class _NoFile(Exception):
    """A file couldn't be kept; its text says why."""


def _like(canvas: Canvas) -> Canvas:
    """Shared memory of this machine.

    Raises:
        OSError: there isn't enough.
    """
    return Canvas.make(canvas.channels, canvas.frames, canvas.tail, canvas.rate_hz)


def _samples(mapped: NDArray[np.float32], start: int, stop: int) -> bytes:
    return mapped[:, start:stop].tobytes()
