"""The session: its parts, wired; which of them handles each request; and what is done regularly.

Owned by the event loop. Every request is a coroutine that ends with one answer (see `tickets`);
it may wait for the engine, a disk or a device, and nothing else waits with it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from eutectic.files.shipped import presets_folder
from eutectic.link.host import Host
from eutectic.link.protocol import ModelFacts, State
from eutectic.link.spare import Spare
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer, packet
from eutectic.osc.server import Peer
from eutectic.osc.subscribers import Kind, Subscribers, Wishes
from eutectic.playback.output import Output
from eutectic.playback.player import Player
from eutectic.session import models, replays
from eutectic.session.axes import Axes
from eutectic.session.board import Board
from eutectic.session.carrying import Carrier
from eutectic.session.dispatch import Dispatcher
from eutectic.session.fans import Fans
from eutectic.session.favourites import Favourites
from eutectic.session.glides import Glides
from eutectic.session.grids import Grids
from eutectic.session.history import History
from eutectic.session.inputs import Inputs
from eutectic.session.jobs import Jobs
from eutectic.session.journal import Journal
from eutectic.session.keeper import Keeper
from eutectic.session.library import Library
from eutectic.session.live import Live
from eutectic.session.log_events import LOGGER, LogEvents
from eutectic.session.models import Models
from eutectic.session.notes import Notes
from eutectic.session.outputs import Outputs
from eutectic.session.pads import Pads
from eutectic.session.pair import Knobs
from eutectic.session.pairs import Pairs
from eutectic.session.presets import Presets
from eutectic.session.references import References
from eutectic.session.renders import Renders
from eutectic.session.replays import Replays
from eutectic.session.resolve import Resolver
from eutectic.session.sessions import Parts, Sessions
from eutectic.session.settings import SessionSettings
from eutectic.session.shelf import Shelf
from eutectic.session.stage import Stage
from eutectic.session.status import Status
from eutectic.session.takes import Takes
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Refused, RequestRegistry, Ticket
from eutectic.session.timings import Timings
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices
from eutectic.system.shared_memory import sweep

if TYPE_CHECKING:  # importing mido takes time, and only a controller needs it
    from eutectic.midi.surfaces import Surfaces

log = logging.getLogger("eutectic.session")

POLL_SECONDS = 0.005
"""Between polls of the player's events."""

UPDATE_SECONDS = 1 / 30
"""Between events and meters."""

HOUSEKEEPING_SECONDS = 0.1
"""Between counts of lost audio, and whatever else isn't urgent."""

FOLLOW_ROUNDS = 5
"""Once in so many rounds of housekeeping, files that a user may be editing are checked."""

LEARN_SECONDS = 30.0
"""`/midi/learn` waits this long for a control."""


class Session:
    """Requests in, answers and events out."""

    def __init__(
        self, settings: SessionSettings, output: Output, player: Player, subscribers: Subscribers,
        spare: Spare, surfaces: Surfaces | None = None,
    ) -> None:  # fmt: skip
        self._player, self._subscribers, self._surfaces = player, subscribers, surfaces
        self._settings = settings
        folders, timings = settings.folders, Timings()
        self._registry, self._board = RequestRegistry(subscribers), Board(subscribers)
        self._shelf = Shelf(settings.data / "fusions", settings.ready_bytes, settings.stored_bytes)
        engines = models.engines(settings, settings.engine, settings.model, spare)
        self._host = Host(engines, self._on_engine, spare)
        jobs = self._jobs = Jobs(
            self._host, self._shelf, timings, player.rate_hz, settings.data / "costs.json"
        )
        carrier = Carrier(jobs, settings.data)
        self._library = Library(jobs, folders, carrier, self._changed)
        self._references = References(jobs, self._library, carrier, self._learned, self._changed)
        shipped = (presets_folder("fusions"), presets_folder("sessions"))
        presets = self._presets = Presets(settings.data / "presets", shipped)
        resolver = Resolver(jobs, self._library, self._references, presets)
        grids = Grids(self._references.at_hand, jobs.default)
        self._tempo = Tempo(player, self._latency_seconds, self._changed)
        self._voices = Voices(player, grids, self._changed, self._turned)
        self._fans = Fans(jobs, self._library, resolver, self._voices, grids, player, self._changed)
        self._glides = Glides(
            jobs, self._library, self._references, self._voices, grids, self._fans,
            player,
        )  # fmt: skip
        self._renders = Renders(jobs, self._library, resolver, folders)
        journal = self._journal = Journal(player)
        self._outputs = Outputs(output, player, self._tempo, folders, journal, self._board.publish)
        self._inputs = Inputs(settings.input_device, folders)
        self._takes = Takes(
            self._host, self._library, self._inputs, self._outputs, player, self._tempo, folders
        )
        self._stage = Stage(
            jobs, self._library, self._references, resolver, self._voices, grids,
            self._fans, self._glides, player, self._tempo, journal, self._outputs.latency_seconds,
            self._changed,
        )  # fmt: skip
        self._notes = Notes(
            jobs, resolver, self._voices, grids, player, self._tempo, settings.ready_bytes // 4
        )
        self._pads = Pads(jobs, self._library, resolver, self._voices, self._stage, player)
        self._live = Live(
            jobs, self._library, self._references, resolver, self._voices, self._inputs,
            self._tempo, player, self._outputs.latency_seconds,
        )  # fmt: skip
        self._models = Models(
            settings, self._host, self._library, self._board.publish, self._changed
        )
        self._favourites = Favourites(
            settings.data / "favourites", jobs, resolver, self._voices, self._fans, self._stage,
            grids, player, self._changed,
        )  # fmt: skip
        self._keeper = Keeper(
            settings.session, settings.data / "sessions", presets, jobs, self._library,
            self._references, self._voices, grids, resolver, self._tempo, self._favourites,
            lambda: self._models.name,
            self._board.publish,
        )  # fmt: skip
        self._history = History(
            jobs, self._library, self._references, self._voices, resolver, self._fans, self._stage,
            self._pads, player, self._keeper.held,
        )  # fmt: skip
        self._sessions = Sessions(
            Parts(self._keeper, self._registry, jobs, self._library, self._references, resolver,
                  self._voices, self._stage, self._pads, self._live, self._favourites, self._takes,
                  self._history, player, folders, settings.data)
        )  # fmt: skip
        self._pairs = Pairs(
            jobs, self._library, self._references, resolver, self._voices, grids, self._board,
            self._keeper.as_set,
        )  # fmt: skip
        self._log = LogEvents()
        self._listed: list[answers.Preset] = []
        self._board.show(
            self._own_states, self._tempo.states, self._outputs.states, self._inputs.states,
            self._library.states, self._references.states, lambda: self._listed,
            self._voices.states, self._history.states, self._favourites.states, self._live.states,
            Axes(jobs, self._voices, grids).states,
        )  # fmt: skip
        self._status = Status(
            self._host, self._models, self._outputs, self._inputs, player, self._tempo, self._stage,
            self._live, self._voices, self._library, self._references, self._shelf, self._registry,
            subscribers, timings,
        )  # fmt: skip
        self._tasks: set[asyncio.Task[None]] = set()
        self._reported_lost, self._is_metered = 0, False
        self._dispatcher = Dispatcher(self._registry, subscribers, self._board.greet, self._before)
        self._replays = Replays(
            replays.Parts(
                self._keeper, jobs, self._library, self._references, resolver, self._voices,
                grids, self._stage, self._history, player, self._tempo, self._sessions.resend,
            ),
            self._dispatcher.take,
        )  # fmt: skip
        journal.begun, journal.instead = self._replays.begin, self._replays.instead
        self._register()
        self.take = self._dispatcher.take
        """Handles one message that was received."""

    def _register(self) -> None:
        """Say which part handles each request."""
        self._register_sounds()
        self._register_playing()
        on = self._dispatcher.on
        on(table.Ping, self._ping)
        on(table.Version, self._version)
        on(table.Status, self._status.report)
        on(table.Sync, self._sync)
        on(table.Notify, self._notify)
        on(table.ListModels, self._models.list)
        on(table.SetModel, self._models.set)
        on(table.PlaceEngine, self._models.move)
        on(table.SavePreset, self._keeper.save_preset)
        on(table.LoadPreset, self._keeper.load_preset)
        on(table.ListPresets, self._keeper.list_presets)
        on(table.SaveSession, self._keeper.save_session)
        on(table.LoadSession, self._sessions.load)
        on(table.NewSession, self._sessions.new)
        on(table.ListSessions, self._keeper.list_sessions)
        on(table.PackSession, self._sessions.pack)
        on(table.KeepFavourite, self._favourites.keep)
        on(table.PlayFavourite, self._sessions.play_favourite)
        on(table.ListFavourites, self._favourites.list)
        on(table.FreeFavourite, self._favourites.free)
        on(table.ListDevices, self._outputs.list)
        on(table.SetDevice, self._outputs.set)
        on(table.ListInputs, self._inputs.list)
        on(table.SetInput, self._inputs.set)
        on(table.StartRecording, self._outputs.start_recording)
        on(table.StopRecording, self._outputs.stop_recording)
        on(table.Replay, self._replays.replay)
        on(table.SetTempo, self._tempo.set)
        on(table.TapTempo, self._tempo.tap)
        on(table.SetTransport, self._tempo.run)
        on(table.SetClock, self._tempo.set_clock)
        on(table.LearnMidi, self._learn_midi)

    def _register_sounds(self) -> None:
        on = self._dispatcher.on
        on(table.LoadClip, self._library.load)
        on(table.RecordClip, self._takes.record)
        on(table.StopClip, self._takes.stop)
        on(table.GrabClip, self._takes.grab)
        on(table.FreeClip, self._library.free)
        on(table.ListClips, self._library.list)
        on(table.Remember, self._references.remember)
        on(table.LoadReference, self._references.load)
        on(table.Learn, self._references.learn)
        on(table.FreeReference, self._references.free)
        on(table.DeleteReference, self._references.delete)
        on(table.ListReferences, self._references.list)

    def _register_playing(self) -> None:
        on = self._dispatcher.on
        on(table.Fuse, self._sessions.fuse)
        on(table.MakeFan, self._fans.make)
        on(table.Scrub, self._stage.scrub)
        on(table.PlayPad, self._sessions.play_pad)
        on(table.ListFan, self._pairs.list_fan)
        on(table.AskPair, self._pairs.ask)
        on(table.GoLive, self._sessions.go_live)
        on(table.StopLive, self._live.stop)
        on(table.Undo, self._history.undo)
        on(table.Redo, self._history.redo)
        on(table.Render, self._renders.render)
        on(table.Cancel, self._dispatcher.cancel)
        on(table.Stop, self._stage.stop)
        on(table.Panic, self._panic)
        on(table.ClearSchedule, self._clear_schedule)
        on(table.SetVoice, self._sessions.set_voice)
        on(table.Note, self._notes.note)
        on(table.SetEnvelope, self._sessions.set_envelope)
        on(table.FocusVoice, self._voices.set_focus)
        on(table.SetFilter, self._sessions.set_filter)
        on(table.SetSend, self._sessions.set_send)
        on(table.ListVoices, self._voices.list)
        on(table.SetMasterGain, self._voices.set_master)

    async def start(self) -> None:
        """Restore what was kept, start the engine, and serve the player from now on.

        Raises:
            BadState: what was kept can't be read, or another daemon is using it.
        """
        self._keeper.open()
        sweep()
        await self._tempo.start(self._settings.clock, self._settings.clock_out)
        if self._surfaces is not None:
            self._surfaces.connect(self.take, self._voices.current)
        self._host.start()
        LOGGER.addHandler(self._log)
        for seconds, work in (
            (POLL_SECONDS, self._poll), (UPDATE_SECONDS, self._update),
            (HOUSEKEEPING_SECONDS, self._housekeeping),
        ):  # fmt: skip
            self._spawn(self._repeat(seconds, work))

    def leave(self, peer: Peer) -> None:
        """A client's connection has ended."""
        number = self._subscribers.leave(peer)
        if number:
            log.info("client %d: has left", number)

    def start_output(self) -> None:
        """Play on the device, and listen to the other."""
        self._outputs.start()
        self._inputs.start()

    async def close(self) -> None:
        """End everything, and save what is to be kept."""
        self._takes.end()
        requests = self._registry.cancel_all("the daemon is shutting down")
        await asyncio.gather(*requests, return_exceptions=True)
        await self._takes.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._live.close()
        await self._sessions.close()
        await self._host.stop()
        await self._tempo.close()
        await self._outputs.close()
        await self._inputs.close()
        await self._notes.close()
        await self._shelf.close()
        self._jobs.costs.close()
        LOGGER.removeHandler(self._log)
        self._keeper.close()

    # Requests

    async def _ping(self, ticket: Ticket, _request: table.Ping) -> None:
        ticket.is_routine = True

    async def _version(self, ticket: Ticket, _request: table.Version) -> None:
        ticket.reply(answers.VersionReply(ticket.id, version("eutectic")))

    async def _sync(self, ticket: Ticket, _request: table.Sync) -> None:
        ticket.reply(answers.Synced(ticket.id))

    async def _notify(self, ticket: Ticket, request: table.Notify) -> None:
        if not request.on:
            ticket.done(answers.Registered(self._subscribers.leave(ticket.peer)))
            return
        ticket.is_routine = ticket.peer in self._subscribers
        kinds: set[Kind] = {"event"}
        kinds |= {"meter"} if request.meter else set()
        kinds |= {"log"} if request.log else set()
        wishes = Wishes(request.name or "", frozenset(kinds))
        self._board.update()
        number = self._subscribers.register(
            ticket.peer, request.reply_port, wishes, time.monotonic()
        )
        ticket.done(answers.Registered(number))
        self._board.greet(ticket.peer)

    async def _panic(self, ticket: Ticket, request: table.Panic) -> None:
        if request.press == 0:
            return
        self._dispatcher.cancel_scheduled("panic")
        self._notes.forget()
        self._replays.stop(ticket, "panic")
        self._stage.panic()

    async def _clear_schedule(self, ticket: Ticket, request: table.ClearSchedule) -> None:
        if request.press == 0:
            return
        self._dispatcher.cancel_scheduled("the schedule was cleared")
        self._replays.stop(ticket, "the schedule was cleared")
        self._stage.clear_schedule()

    async def _learn_midi(self, ticket: Ticket, request: table.LearnMidi) -> None:
        if self._surfaces is None:
            raise Refused("no_midi", "no controller is open; serve --midi opens one")
        ticket.queued()
        try:
            control = await self._surfaces.learn(request.target, LEARN_SECONDS)
        except TimeoutError:
            raise Refused("no_control", f"no control was moved in {LEARN_SECONDS:g} s") from None
        ticket.done(answers.LearnedControl(control))

    # What happens without a request

    def _on_engine(self, result: State | ModelFacts) -> None:
        self._pairs.changed()
        self._models.on_engine(result)
        if isinstance(result, ModelFacts):
            self._sessions.resend()

    def _own_states(self) -> Iterator[Answer]:
        yield self._models.state()
        yield answers.Queue(self._host.waiting)
        yield self._keeper.in_use()
        for each in self._subscribers:
            yield answers.Client(each.number, each.name, 1)

    def _latency_seconds(self) -> float:
        return self._outputs.latency_seconds()

    def _before(self, ticket: Ticket, request: table.Request) -> None:
        self._history.before(request)
        self._journal.note(ticket, request)

    def _changed(self) -> None:
        self._keeper.changed()
        self._history.changed()
        self._pairs.changed()

    def _turned(self, voice: Voice, knobs: Knobs) -> None:
        self._glides.turned(voice, knobs)

    def _learned(self, reference: str) -> None:
        self._glides.learned(reference)

    async def _repeat(self, seconds: float, work: Callable[[int], Awaitable[None]]) -> None:
        """Do something again and again; a bug in one round is logged once, and ends no other."""
        failed: set[type[Exception]] = set()
        for count in itertools.count():
            await asyncio.sleep(seconds)
            try:
                await work(count)
            except Exception as error:
                if type(error) not in failed:
                    failed.add(type(error))
                    log.exception("what is done regularly")

    async def _poll(self, _count: int) -> None:
        self._journal.look()
        self._stage.poll()
        self._tempo.update()

    async def _update(self, _count: int) -> None:
        """Send clients what has changed, levels, and lines of the log."""
        self._history.look()
        if len(self._subscribers):
            self._board.update()
            self._pairs.update()
        is_metered, self._is_metered = self._is_metered, self._subscribers.wants("meter")
        if self._is_metered:
            meters = self._player.meters()
            for meter in meters if is_metered else []:  # the first are of all the time before
                self._subscribers.publish(packet(answers.Meter(*meter)), "meter")
            level = self._inputs.level()
            if level is not None and is_metered:
                self._subscribers.publish(packet(level), "meter")
        self._log.is_followed = self._subscribers.wants("log")
        for line in self._log.take():
            self._subscribers.publish(packet(line), "log")

    async def _housekeeping(self, count: int) -> None:
        if self._surfaces is not None:
            self._surfaces.show(self._stage.pad)
        if count % FOLLOW_ROUNDS == 0:
            await self._follow()
        self._report_lost()
        self._outputs.report_recording()
        self._sessions.settle()
        for number in self._subscribers.expire(time.monotonic()):
            log.info("client %d: silent for too long, dropped", number)
        await self._keeper.save_if_changed()

    async def _follow(self) -> None:
        """Reload files that a user edits while they are in use: the preset and the maps."""
        if self._surfaces is not None:
            await self._surfaces.follow()
        await self._keeper.follow()
        await self._outputs.look()
        await self._favourites.look()
        presets = await asyncio.to_thread(self._presets.list)
        self._listed = [answers.Preset(-1, *each) for each in presets]

    def _report_lost(self) -> None:
        lost = self._outputs.lost
        if lost != self._reported_lost:
            self._reported_lost = lost
            device = self._outputs.device
            log.warning("audio was lost: %d underruns, %d xruns", device.underruns, device.xruns)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
