"""The session: what each request of the OSC table does, and what the daemon tells by itself.

Owned by the event loop. Every request is a coroutine that ends with one answer (see `tickets`);
what waits for the engine, a disk or a device waits there, and nothing else does.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock

from eutectic.errors import BadDevice
from eutectic.files import toml
from eutectic.files.shipped import presets_folder
from eutectic.files.toml import FORMAT, BadState, stamp_of
from eutectic.link import protocol as link
from eutectic.link.host import Host, engine_command
from eutectic.osc import server as osc
from eutectic.osc import table as messages
from eutectic.osc.server import Peer, Subscribers
from eutectic.osc.table import BadRequest, Request
from eutectic.playback.output import Output
from eutectic.playback.player import Player
from eutectic.playback.recorder import Recorder
from eutectic.playback.streams import DeviceSettings, list_devices
from eutectic.session import kept
from eutectic.session.folders import Folders
from eutectic.session.jobs import Clip, Jobs, Reference
from eutectic.session.kept import KeptClip, KeptReference, KeptSession
from eutectic.session.library import Library, Values
from eutectic.session.presets import Preset, Presets
from eutectic.session.shelf import Shelf
from eutectic.session.stage import Stage
from eutectic.session.tickets import MAX_OPEN, Office, Refused, Ticket
from eutectic.session.timings import Timings
from eutectic.system.shared_memory import sweep

if TYPE_CHECKING:  # mido takes its time, and is wanted with a controller alone
    from eutectic.midi.surface import Surface

log = logging.getLogger("eutectic.session")

MODELS = ("embedded", "toy")
"""Those that ship."""

POLL_SECONDS = 0.005
"""Between looks at what the player tells."""

SLOW_SECONDS = 0.1
"""Between meters, counts of lost sound, and looks at what else is to be done."""

SAVE_SECONDS = 1.0
"""A change of the session is on disk after this."""

FOLLOW_LOOKS = 5
"""Of the looks at what isn't urgent, one in so many is at files that a user may be writing."""

LEARN_SECONDS = 30.0
"""So long `/midi/learn` waits for a control."""


@dataclass(frozen=True)
class SessionSettings:
    """What the daemon was started with; all paths absolute.

    `memory_bytes` is for what the engine keeps, `ready_bytes` for fusions as audio.
    """

    model: str
    compute: str | None
    folders: Folders
    data: Path
    session: Path | None
    input_device: str | None
    memory_bytes: int
    ready_bytes: int
    stored_bytes: int


class Session:
    """Requests in, answers and events out."""

    def __init__(
        self, settings: SessionSettings, output: Output, player: Player, clients: Subscribers,
        surface: Surface | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.output, self.player, self.clients = settings, output, player, clients
        self.surface = surface
        self.model = settings.model
        self.timings, self.office = Timings(), Office(clients)
        self.shelf = Shelf(settings.data / "fusions", settings.ready_bytes, settings.stored_bytes)
        self.host = Host(self._engine_command(self.model), self._engine_told)
        self.jobs = Jobs(self.host, self.shelf, self.timings)
        self.library = Library(self.jobs, settings.folders, settings.input_device, self._changed)
        shipped = (presets_folder("fusions"), presets_folder("sessions"))
        self.presets = Presets(settings.data / "presets", shipped)
        self.stage = Stage(
            self.jobs, self.library, player, settings.folders, self.presets,
            self._latency_seconds, self._changed,
        )  # fmt: skip
        self._followed: tuple[str, tuple[int, int]] | None = None
        """The preset that was loaded last, and how its file was."""
        self._began = time.monotonic()
        self._recorder: Recorder | None = None
        self._told_lost = 0
        self._warm, self._engine_text = 0.0, ""
        self._dirty = False
        self._restored = False
        """Only then may what is kept be written over."""
        self._saved = 0.0
        self._claim: FileLock | None = None
        self._timers: dict[Ticket, asyncio.TimerHandle] = {}
        self._model_came: asyncio.Event = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handlers: dict[str, Callable[[Ticket, Values], Coroutine[Any, Any, None]]] = {
            "/ping": self._ping, "/version": self._version, "/status": self._status,
            "/sync": self._sync, "/notify": self._notify,
            "/model/list": self._list_models, "/model/set": self._set_model,
            "/clip/load": self.library.load, "/clip/record": self.library.record,
            "/clip/free": self.library.free, "/clip/list": self.library.list,
            "/reference/learn": self.library.learn,
            "/reference/free": self.library.free_reference,
            "/reference/list": self.library.list_references,
            "/fan": self.stage.fan, "/scrub": self.stage.scrub, "/render": self.stage.render,
            "/cancel": self._cancel, "/stop": self.stage.stop, "/panic": self._panic,
            "/schedule/clear": self._clear_schedule,
            "/voice/set": self.stage.set_voice, "/master/gain": self.stage.set_master,
            "/preset/save": self._save_preset, "/preset/load": self._load_preset,
            "/preset/list": self._list_presets, "/session/save": self._save_session,
            "/device/list": self._list_devices, "/device/set": self._set_device,
            "/record/start": self._start_recording, "/record/stop": self._stop_recording,
            "/midi/learn": self._learn_midi,
        }  # fmt: skip

    # Its course

    async def start(self) -> None:
        """Bring back what was kept, start the engine, and look after the player from now on.

        Raises:
            BadState: what was kept can't be read, or is another daemon's.
        """
        path = self.settings.session
        if path is not None:
            self._claim = kept.claim(path)
            if path.exists():
                self._restore(kept.read(path))
        self._restored = True
        sweep()
        if self.surface is not None:
            self.surface.connect(self.take, self.stage.current)
        self.host.start()
        self._spawn(self._poll())
        self._spawn(self._look())

    async def close(self) -> None:
        """End everything, and keep what is to be kept."""
        await asyncio.gather(*self.office.cancel_all("the daemon is leaving"))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.host.stop()
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close)
        self.output.close()
        await self.shelf.close()
        if self.settings.session is not None and self._restored:
            toml.write(self.settings.session, self._kept())
        if self._claim is not None:
            self._claim.release()

    def take(self, peer: Peer, address: str, arguments: tuple[Any, ...], due: float | None) -> None:
        """One message, just received."""
        self.clients.touch(peer, time.monotonic())
        try:
            request = messages.parse(address, arguments)
        except BadRequest as error:
            short = address.removeprefix(messages.PREFIX)[:80]
            Ticket(self.office, peer, short, error.id).fail(error.code, str(error))
            return
        ticket = Ticket(self.office, peer, request.spec.address, request.id)
        if request.spec.address == "/fuse":
            self.office.begin(ticket, lambda: self.stage.fuse(ticket, request.values, due))
            return
        when, late_ms = osc.timing(due, time.monotonic())
        if late_ms is not None:
            ticket.answer("/late", ticket.id, late_ms)
        if when is None or request.spec.address == "/panic":
            self._begin(ticket, request)
        elif len(self._timers) >= MAX_OPEN:
            ticket.fail("busy", f"{MAX_OPEN} messages are waiting for their time")
        else:
            loop = asyncio.get_running_loop()
            self._timers[ticket] = loop.call_at(when, self._begin, ticket, request)

    def _begin(self, ticket: Ticket, request: Request) -> None:
        self._timers.pop(ticket, None)
        handler = self._handlers[request.spec.address]
        self.office.begin(ticket, lambda: handler(ticket, request.values))

    def _device_told(self, state: str) -> None:
        """The output device was lost, or is back."""
        self._tell("/device", self.output.name, state)

    # Requests

    async def _ping(self, ticket: Ticket, values: Values) -> None:
        pass

    async def _version(self, ticket: Ticket, values: Values) -> None:
        ticket.answer("/version.reply", ticket.id, version("eutectic"))

    async def _status(self, ticket: Ticket, values: Values) -> None:
        for what, text in self._status_lines():
            ticket.answer("/status.reply", ticket.id, what, text)

    async def _sync(self, ticket: Ticket, values: Values) -> None:
        ticket.answer("/synced", ticket.id)

    async def _notify(self, ticket: Ticket, values: Values) -> None:
        ticket.id = 0  # the table's answer to it, though it has none
        if values["on"]:
            meter = bool(values.get("meter", 0))
            now = time.monotonic()
            number = self.clients.register(ticket.peer, values.get("reply_port"), meter, now)
            ticket.done(number)
            ticket.answer("/engine", self.host.state, self._warm)
        else:
            ticket.done(self.clients.leave(ticket.peer))

    async def _list_models(self, ticket: Ticket, values: Values) -> None:
        for name in dict.fromkeys((*self._models(), self.model)):
            ticket.answer("/model", ticket.id, name, int(name == self.model))

    async def _set_model(self, ticket: Ticket, values: Values) -> None:
        name, before = values["model"], self.model
        is_hub = name.count("/") == 1 and not name.startswith((".", "/", "~"))
        if name not in (*self._models(), self.settings.model) and not is_hub:
            raise Refused("bad_model", f"{name}: is none of /model/list, nor a Hub id")
        ticket.queued()
        if await self._change_model(name):
            return
        text = self._engine_text
        await self._change_model(before)
        raise Refused("bad_model", text)

    async def _change_model(self, name: str) -> bool:
        """Whether the engine came up with this model."""
        self._model_came.clear()
        self.model = name
        self.library.given.clear()
        await self.host.restart(self._engine_command(name))
        await self._model_came.wait()
        self._changed()
        return self.host.facts is not None

    async def _cancel(self, ticket: Ticket, values: Values) -> None:
        given_up = self.office.open(ticket.peer, values["request"])
        given_up = [each for each in given_up if each is not ticket]
        timed = [each for each in self._timers
                 if (each.peer, each.id) == (ticket.peer, values["request"])]  # fmt: skip
        for each in timed:
            self._timers.pop(each).cancel()
            each.fail("cancelled", "cancelled")
        for each in given_up:
            each.give_up("cancelled")
        if not given_up and not timed:
            raise Refused("unknown_request", f"request {values['request']} isn't under way")

    async def _panic(self, ticket: Ticket, values: Values) -> None:
        self._cancel_timers("panic")
        await self.stage.panic(ticket, values)

    async def _clear_schedule(self, ticket: Ticket, values: Values) -> None:
        self._cancel_timers("the schedule was cleared")
        await self.stage.clear_schedule(ticket, values)

    async def _save_preset(self, ticket: Ticket, values: Values) -> None:
        stage = self.stage
        preset = Preset(FORMAT, "", stage.master_db, stage.defaults, voices=stage.kept())
        path = kept.named(self.presets.own, values["name"])
        await asyncio.to_thread(toml.write, path, preset)

    async def _load_preset(self, ticket: Ticket, values: Values) -> None:
        preset = await asyncio.to_thread(self.presets.read, values["name"])
        if preset.clips or preset.references:
            self.jobs.check_room()
            ticket.queued()
            await self.library.bring(ticket, preset)
        self._apply(preset)
        self._followed = values["name"], stamp_of(self.presets.path(values["name"]))

    def _apply(self, preset: Preset) -> None:
        """Set what a preset says of fusions and voices."""
        stage = self.stage
        if preset.fusion:
            stage.defaults = dict(preset.fusion)
        if "blend" in preset.fusion:
            for voice in stage.voices:
                voice.blend = float(preset.fusion["blend"])
        stage.restore(preset.master_db, preset.voices)

    async def _list_presets(self, ticket: Ticket, values: Values) -> None:
        for name, what in await asyncio.to_thread(self.presets.list):
            ticket.answer("/preset", ticket.id, name, what)

    async def _save_session(self, ticket: Ticket, values: Values) -> None:
        path = self.settings.session
        if "name" in values:
            path = kept.named(self.settings.data / "sessions", values["name"])
        if path is None:
            raise Refused("no_session", "name the session, or start with --session")
        await asyncio.to_thread(toml.write, path, self._kept())
        ticket.done(str(path))

    async def _list_devices(self, ticket: Ticket, values: Values) -> None:
        for each in await asyncio.to_thread(list_devices):
            if each.outputs:
                state = "playing" if each.name == self.output.name else each.host_api
                ticket.answer("/device", each.name, state)

    async def _set_device(self, ticket: Ticket, values: Values) -> None:
        old = self.output
        settings = DeviceSettings(
            values["device"], self.player.rate_hz, old.channels, old.settings.block_frames,
            old.settings.ring_seconds, old.settings.latency,
        )  # fmt: skip
        if settings.name is not None and settings.name.startswith("file:"):
            path = self.settings.folders.to_write(settings.name.removeprefix("file:"))
            settings = DeviceSettings(f"file:{path}", self.player.rate_hz, old.channels)
        new = await asyncio.to_thread(Output, settings)
        if new.rate_hz != self.player.rate_hz:
            await asyncio.to_thread(new.close)
            raise BadDevice(
                f"{new.name}: runs at {new.rate_hz} Hz, and this session at "
                f"{self.player.rate_hz}; serve --device starts one at its rate"
            )
        await asyncio.to_thread(old.close)
        self.output = new
        self.start_output()
        self._tell("/device", new.name, "playing")

    async def _start_recording(self, ticket: Ticket, values: Values) -> None:
        if self._recorder is not None:
            raise Refused("recording", f"{self._recorder.path} is being recorded; stop that first")
        path = self.settings.folders.to_write(values["path"])
        self._recorder = Recorder(path, self.player.rate_hz, self.player.channels)
        self.player.record(self._recorder.put)
        ticket.done(str(path))

    async def _stop_recording(self, ticket: Ticket, values: Values) -> None:
        recorder = self._recorder
        if recorder is None:
            raise Refused("not_recording", "nothing is being recorded; /record/start begins")
        self._recorder = None
        self.player.record(None)
        frames = await asyncio.to_thread(recorder.close)
        if recorder.error is not None:
            raise Refused("bad_output", recorder.error)
        if recorder.lost:
            raise Refused("gaps", f"{recorder.path}: the disk was too slow {recorder.lost} times")
        ticket.done(str(recorder.path), frames, self.player.rate_hz)

    async def _learn_midi(self, ticket: Ticket, values: Values) -> None:
        if self.surface is None:
            raise Refused("no_midi", "no controller is open; serve --midi opens one")
        ticket.queued()
        try:
            ticket.done(await self.surface.learn(values["target"], LEARN_SECONDS))
        except TimeoutError:
            raise Refused("no_control", f"no control was moved in {LEARN_SECONDS:g} s") from None

    # Of its own accord

    def start_output(self) -> None:
        """Play on the device."""
        loop = asyncio.get_running_loop()

        def told(state: str) -> None:
            loop.call_soon_threadsafe(self._device_told, state)

        self.output.start(self.player.fill, told)

    def _engine_told(self, result: link.State | link.ModelFacts) -> None:
        if isinstance(result, link.ModelFacts):
            log.info("model %s: %d Hz, up to %.0f s", result.name, result.rate_hz,
                     result.max_seconds)  # fmt: skip
            self._spawn(self.library.give_again())
            self._model_came.set()
            return
        level = logging.ERROR if result.state in ("dead", "failed") else logging.INFO
        log.log(level, "engine: %s %.0f %% %s", result.state, 100 * result.fraction, result.text)
        self._warm, self._engine_text = result.fraction, result.text
        if result.state == "dead":
            self.library.given.clear()
        if result.state == "failed":
            self.library.given.set()
            self._model_came.set()
        self._tell("/engine", result.state, result.fraction)

    def _tell(self, address: str, *values: osc.Value) -> None:
        """An event, to everybody who wants events."""
        self.clients.tell(osc.encode(*messages.answer(address, *values)), address == "/meter")

    async def _follow(self) -> None:
        """Read what a user writes while it is in use: the preset loaded last, and the map."""
        if self.surface is not None and self.surface.stale:
            await self.surface.reload()
        if self._followed is None:
            return
        name, before = self._followed
        stamp = stamp_of(self.presets.path(name))
        if stamp == before:
            return
        self._followed = name, stamp
        try:
            self._apply(await asyncio.to_thread(self.presets.read, name))
            text = "read anew"
        except BadState as error:
            text = str(error)
        log.info("preset %s: %s", name, text)
        self._tell("/preset/changed", name, text)

    async def _poll(self) -> None:
        while True:
            self.stage.poll()
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        """What isn't urgent."""
        for look in itertools.count():
            await asyncio.sleep(SLOW_SECONDS)
            if self.surface is not None:
                self.surface.show(self.stage.pad)
            if look % FOLLOW_LOOKS == 0:
                await self._follow()
            now = time.monotonic()
            lost = self.output.underruns + self.output.xruns
            if lost != self._told_lost:
                self._told_lost = lost
                log.warning("sound was lost: %d underruns, %d xruns", self.output.underruns,
                            self.output.xruns)  # fmt: skip
                self._tell("/xrun", lost)
            for number, level_db in enumerate(self.player.levels_db(), 1):
                self._tell("/meter", number, level_db)
            for number in self.clients.expire(now):
                log.info("client %d: nothing heard of it any more", number)
            if self._dirty and now - self._saved > SAVE_SECONDS:
                await self._save()

    async def _save(self) -> None:
        self._dirty, self._saved = False, time.monotonic()
        if self.settings.session is None:
            return
        try:
            await asyncio.to_thread(toml.write, self.settings.session, self._kept())
        except OSError as error:
            log.error("the session can't be kept: %s", error)

    def _changed(self) -> None:
        self._dirty = True

    def _cancel_timers(self, reason: str) -> None:
        timers, self._timers = self._timers, {}
        for ticket, timer in timers.items():
            timer.cancel()
            ticket.fail("cancelled", reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _latency_seconds(self) -> float:
        """From the mix to the ear."""
        limiter = self.player.latency_frames / self.player.rate_hz
        return limiter + self.output.latency_seconds

    def _engine_command(self, model: str) -> list[str]:
        settings = self.settings
        folder = settings.data / "models" / model
        where = str(folder) if model in self._models()[len(MODELS) :] else model
        return engine_command(where, settings.data, settings.memory_bytes, settings.compute)

    def _models(self) -> list[str]:
        """Names that `/model/set` takes: those that ship, and folders among the user's models."""
        folder = self.settings.data / "models"
        there = sorted(each.parent.name for each in folder.glob("*/model_config.json"))
        return [*MODELS, *(name for name in there if name not in MODELS)]

    # What is kept

    def _kept(self) -> KeptSession:
        clips = [
            KeptClip(c.name, c.source, c.key, c.frames, c.rate_hz, c.loudness_lufs)
            for c in self.library.clips.values()
        ]
        references = [
            KeptReference(r.name, r.clip, r.source, r.known, r.model)
            for r in self.library.references.values()
        ]
        stage = self.stage
        return KeptSession(
            FORMAT, self.model, stage.master_db, stage.defaults, clips, references, stage.kept()
        )

    def _restore(self, session: KeptSession) -> None:
        same = session.model == self.model
        for c in session.clips:
            key = c.key if same else ""  # another model's says nothing
            clip = Clip(c.name, c.source, key, c.frames, c.rate_hz, c.loudness_lufs)
            self.library.clips[c.name] = clip
        for r in session.references:
            reference = Reference(r.name, r.clip, r.source, r.known, r.model)
            self.library.references[r.name] = reference
        self.stage.defaults = dict(session.fusion)
        self.stage.restore(session.master_db, session.voices)
        if session.clips or session.references:
            self.library.given.clear()

    # Status

    def _status_lines(self) -> list[tuple[str, str]]:
        host, output, usage = self.host, self.output, self.host.usage
        playing = [str(v.number) for v in self.stage.voices if self.player.playing(v.number)]
        own = psutil.Process().memory_info().rss
        lines = [
            ("version", version("eutectic")),
            ("up", f"{time.monotonic() - self._began:.0f} s"),
            ("engine", f"{host.state} {100 * self._warm:.0f} %, {host.deaths} deaths"),
            ("model", self.model),
            ("device", f"{output.name}, {output.rate_hz} Hz, {output.channels} channels, "
                       f"{output.state}"),
            ("latency", f"{1000 * self._latency_seconds():.1f} ms from the mix to the ear"),
            ("lost", f"{output.underruns} underruns, {output.xruns} xruns, "
                     f"{self.stage.starved} waits for the decoder"),
            ("voices", f"{' '.join(playing) or 'none'} of {len(self.stage.voices)} playing"),
            ("requests", f"{len(self.office)} under way, {host.waiting} of them in the engine"),
            ("clients", str(len(self.clients))),
            ("clips", " ".join(self.library.clips) or "none"),
            ("references", " ".join(self.library.references) or "none"),
            ("ready", f"{len(self.shelf)} fusions, {_mib(self.shelf.kept_bytes)} of "
                      f"{_mib(self.shelf.memory_bytes)}"),
            ("memory", f"{_mib(own)} the daemon"),
        ]  # fmt: skip
        if usage is not None:
            lines += [
                ("engine cache", f"{_mib(usage.kept_bytes)} of {_mib(usage.limit_bytes)}, "
                                 f"{usage.evicted} given up"),
                ("engine memory", f"{_mib(usage.process_bytes)}, "
                                  f"{_mib(usage.device_bytes)} on the GPU"),
            ]  # fmt: skip
        if self._recorder is not None:
            lines.append(("recording", str(self._recorder.path)))
        return lines + self.timings.lines()


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
