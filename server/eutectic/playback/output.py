"""The output: keeps a stream supplied with the mix, and reopens a device that was lost.

A thread keeps `ring_seconds` of the mix queued. While a device is lost the mix goes on at the
clock's pace, so that voices end and scheduled times pass.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import numpy as np

from eutectic.audio import smoothstep
from eutectic.errors import BadDevice
from eutectic.playback.streams import (
    Block,
    DeviceSettings,
    NullStream,
    Stream,
    open_stream,
    reopen_stream,
)
from eutectic.system.processes import make_thread_real_time

log = logging.getLogger("eutectic.playback")

RETRY_SECONDS = 1.0
"""Between attempts to reopen a lost device."""

STUCK_SECONDS = 1.0
"""Closing waits no longer than this for a device that takes nothing."""

FADE_SECONDS = 0.01
"""The mix fades in on a device that was opened or reopened, and out before closing."""


class Output:
    """A device that plays the mix, and is reopened when it was lost.

    Attributes:
        rate_hz, channels, name: fixed once it is open.
        state: `closed`, `playing` or `lost`.
    """

    def __init__(self, settings: DeviceSettings) -> None:
        """Open it.

        Raises:
            BadDevice, BadOutput: as `open_stream`.
        """
        self.settings = settings
        self._stream: Stream = open_stream(settings, settings.rate_hz)
        self.rate_hz, self.channels = self._stream.rate_hz, settings.channels
        self.name = self._stream.name
        self.state = "closed"
        self._past_underruns = self._past_xruns = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._reopened: Stream | None = None
        self._mix_failed = False
        share = np.arange(round(FADE_SECONDS * self.rate_hz)) / (FADE_SECONDS * self.rate_hz)
        self._fade = smoothstep(share).astype(np.float32)[:, None]
        self._faded_in = 0

    @property
    def underruns(self) -> int:
        """How often the ring ran empty."""
        return self._past_underruns + self._stream.underruns

    @property
    def xruns(self) -> int:
        """How often the system reported lost audio."""
        return self._past_xruns + self._stream.xruns

    @property
    def latency_seconds(self) -> float:
        """From `fill` to the ear, as reported by the system."""
        return self._ring / self.rate_hz + self._stream.latency_seconds

    @property
    def _ring(self) -> int:
        """Frames to keep queued: two of what the device takes at once, if that is more.

        One is left after each, so that the mix may be held up until the next.
        """
        burst = self._stream.burst
        needed = 2 * burst if burst > self.settings.block_frames else 0
        return max(round(self.settings.ring_seconds * self.rate_hz), needed)

    def start(self, fill: Callable[[Block], None], on_state: Callable[[str], None]) -> None:
        """Play what `fill` writes; a thread calls `on_state` with `lost` and `back`."""
        self.state = "playing"
        self._thread = threading.Thread(
            target=self._run, args=(fill, on_state), name="player", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Fade out and close the device."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._stream.close()
        self.state = "closed"

    def _run(self, fill: Callable[[Block], None], on_state: Callable[[str], None]) -> None:
        make_thread_real_time()
        block = np.zeros((self.settings.block_frames, self.channels), np.float32)
        pause = 0.25 * self.settings.block_frames / self.rate_hz
        while not self._closing.is_set():
            if self.state == "playing" and not self._stream.alive:
                self._replace_lost()
                on_state("lost")
            if self._reopened is not None:
                self._stream, self._reopened, self.state = self._reopened, None, "playing"
                self._faded_in = 0
                log.info("%s: the device is back", self._stream.name)
                on_state("back")
            while self._stream.queued < self._ring:
                self._mix(fill, block)
                self._stream.write(block)
            self._closing.wait(pause)
        if self.state == "playing":
            self._fade_out(fill, block)

    def _fade_out(self, fill: Callable[[Block], None], block: Block) -> None:
        """Fade out, and wait until that has been played."""
        ring = self._ring
        fade = self._fade[::-1]
        while len(fade):
            self._mix(fill, block)
            block[: len(fade)] *= fade[: len(block)]
            block[len(fade) :] = 0
            self._stream.write(block)
            fade = fade[len(block) :]
        for _ in range(0, ring, len(block)):
            self._stream.write(np.zeros_like(block))
        until = time.monotonic() + STUCK_SECONDS
        while self._stream.queued > ring // 2 and self._stream.alive and time.monotonic() < until:
            time.sleep(0.001)

    def _mix(self, fill: Callable[[Block], None], block: Block) -> None:
        try:
            fill(block)
            fade = self._fade[self._faded_in : self._faded_in + len(block)]
            block[: len(fade)] *= fade
            self._faded_in += len(fade)
        except Exception:  # silence is better than a dead thread
            block.fill(0)
            if not self._mix_failed:
                log.exception("the mix failed; there may be silence")
            self._mix_failed = True

    def _replace_lost(self) -> None:
        log.error("%s: the device is gone; trying to reopen it", self.name)
        self._past_underruns, self._past_xruns = self.underruns, self.xruns
        self._stream.close()
        self._stream = NullStream(self.rate_hz)
        self.state = "lost"
        threading.Thread(target=self._reopen, name="device", daemon=True).start()

    def _reopen(self) -> None:
        """Try until the device opens again, at the mix's rate."""
        while not self._closing.wait(RETRY_SECONDS):
            try:
                stream = reopen_stream(self.settings, self.rate_hz)
            except BadDevice:
                continue
            if self._closing.is_set():
                stream.close()
            self._reopened = stream
            return
