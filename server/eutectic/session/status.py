"""The lines of `/status`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil

from eutectic.link.host import Host
from eutectic.osc import answers, table
from eutectic.osc.subscribers import Subscribers
from eutectic.playback.player import Player
from eutectic.session.inputs import Inputs
from eutectic.session.library import Library
from eutectic.session.live import Live
from eutectic.session.models import Models
from eutectic.session.outputs import Outputs
from eutectic.session.references import References
from eutectic.session.shelf import Shelf
from eutectic.session.stage import Stage
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import RequestRegistry, Ticket
from eutectic.session.timings import Timings
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices


@dataclass
class Status:
    """The parts of a session that the status is made from."""

    host: Host
    models: Models
    outputs: Outputs
    inputs: Inputs
    player: Player
    tempo: Tempo
    stage: Stage
    live: Live
    voices: Voices
    library: Library
    references: References
    shelf: Shelf
    registry: RequestRegistry
    subscribers: Subscribers
    timings: Timings
    started: float = field(default_factory=time.monotonic)

    async def report(self, ticket: Ticket, _request: table.Status) -> None:
        for what, text in self.lines():
            ticket.reply(answers.StatusReply(ticket.id, what, text))
        for voice in self.voices.all:
            ticket.reply(self._voice_reply(ticket.id, voice))

    def lines(self) -> list[tuple[str, str]]:
        """Each item and its text."""
        host, device, usage = self.host, self.outputs.device, self.host.usage
        playing = sum(self.player.playing(voice.number) is not None for voice in self.voices.all)
        notes = sum(self.player.notes(voice.number) for voice in self.voices.all)
        own = psutil.Process().memory_info().rss
        lines = [
            ("version", version("eutectic")),
            ("up", f"{time.monotonic() - self.started:.0f} s"),
            ("engine", self._engine()),
            ("model", self.models.name),
            ("device", f"{device.name}, {device.rate_hz} Hz, {device.channels} channels, "
                       f"{device.state}"),
            ("input", self.inputs.text()),
            ("latency", f"{1000 * self.outputs.latency_seconds():.1f} ms from the mix to the ear"),
            ("lost", f"{device.underruns} underruns, {device.xruns} xruns, "
                     f"{self.stage.waits} waits for the decoder"),
            ("tempo", self.tempo.line),
            ("voices", f"{playing or 'none'} of {len(self.voices.all)} playing"),
            ("notes", f"{notes or 'none'} sounding"),
            *((f"voice {voice.number}", self._voice(voice)) for voice in self.voices.all),
            ("requests", f"{len(self.registry)} open, {host.waiting} of them in the engine"),
            ("clients", str(len(self.subscribers))),
            ("clips", _counted(self.library.clips, self.library.missing)),
            ("references", ", ".join(f"{name} {self.references.state(name)}"
                                     for name in self.references.all) or "none"),
            ("ready", f"{len(self.shelf.memory)} fusions, {_mib(self.shelf.memory.size)} of "
                      f"{_mib(self.shelf.memory.limit)}"),
            ("memory", f"{_mib(own)} for the daemon"),
        ]  # fmt: skip
        if usage is not None:
            lines += [
                ("engine cache", f"{_mib(usage.kept_bytes)} of {_mib(usage.limit_bytes)}, "
                                 f"{usage.evicted} evicted"),
                ("engine memory", f"{_mib(usage.process_bytes)}, "
                                  f"{_mib(usage.device_bytes)} on the GPU"),
            ]  # fmt: skip
        if self.outputs.recorder is not None:
            recorder = self.outputs.recorder
            seconds = recorder.frames / self.player.rate_hz
            state = recorder.error or f"{seconds:.0f} s{_free(recorder.path.parent)}"
            lines.append(("recording", f"{recorder.path}, {state}"))
        return lines + self.timings.lines()

    def _engine(self) -> str:
        """What it is doing, and how often it died."""
        state = self.host.state
        if state in ("failed", "lost"):
            return f"{state}: {self.host.failure}"
        doing = state if state == "ready" else f"{state} {100 * self.models.warm:.0f} %"
        deaths = f"{self.host.deaths} deaths"
        parts = doing, *_away(self.host), *self.references.under_way(), deaths, *_spare(self.host)
        return ", ".join(parts)

    def _voice(self, voice: Voice) -> str:
        """What a voice plays, and how far it is."""
        playing = self.voices.playing(voice)
        made = ["making another"] if voice.pending is not None else []
        if playing is None:
            return self.live.line(voice) or ("making a fusion" if made else "idle")
        pair = playing[1].pair
        at, whole = self.player.position_seconds(voice.number), self.player.seconds(voice.number)
        return ", ".join([
            f"{pair.original.name} with {pair.reference.name}", f"blend {voice.blend:.2f}",
            f"{at:.1f} of {whole:.1f} s", *made,
        ])  # fmt: skip

    def _voice_reply(self, request: int, voice: Voice) -> answers.VoiceReply:
        """A voice, as programs read it."""
        playing = self.voices.playing(voice)
        if playing is None:
            state = "idle" if voice.pending is None else "making"
            live = voice.lives[-1].reference if voice.lives else ""
            return answers.VoiceReply(
                request, voice.number, "live" if live else state, "", live, voice.blend, 0.0, 0.0
            )
        pair = playing[1].pair
        return answers.VoiceReply(
            request, voice.number, "playing", pair.original.name, pair.reference.name, voice.blend,
            self.player.position_seconds(voice.number), self.player.seconds(voice.number),
        )  # fmt: skip


def _away(host: Host) -> Sequence[str]:
    """Where the engine is, if on another machine, how far that is, and how often it was lost."""
    where, way_ms = host.engines.where, host.round_trip_ms
    if not where:
        return ()
    losses = (f"{host.losses} losses",) if host.losses else ()
    return (f"at {where}", *([f"{way_ms:.1f} ms there and back"] if way_ms >= 0 else ()), *losses)


def _spare(host: Host) -> Sequence[str]:
    if not host.spare.is_kept:
        return ()
    return ("a spare waits",) if host.spare.waits else ("no spare yet",)


def _counted(names: Iterable[str], missing: Collection[str]) -> str:
    return (" ".join(names) or "none") + (f"; {len(missing)} missing" if missing else "")


def _free(folder: Path) -> str:
    try:
        return f", {_mib(shutil.disk_usage(folder).free)} free"
    except OSError:  # the disk is gone
        return ""


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
