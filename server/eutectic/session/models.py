"""The engine: its model, where it is, changing either in mid-show, and what it reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from eutectic.config import SHORT_NAMES, is_hub_id
from eutectic.link import models
from eutectic.link.host import Host, NotLoaded
from eutectic.link.protocol import ModelFacts, State
from eutectic.link.remote import Remote, place
from eutectic.link.spare import Spare
from eutectic.link.wire import Engine, Engines, Local, engine_arguments
from eutectic.near import nearest
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.session.library import Library
from eutectic.session.settings import SessionSettings
from eutectic.session.tickets import Refused, Ticket

log = logging.getLogger("eutectic.session")

LOCAL = "local"
"""How requests name this machine."""


class Models:
    """The model in use, and the engine's place; owned by the event loop.

    Attributes:
        name: of the model in use; `where`: the `HOST:PORT` of its engine, empty for this machine.
        warm: how far the engine has warmed up, 0 to 1.
    """

    def __init__(
        self, settings: SessionSettings, host: Host, library: Library,
        publish: Callable[[Answer], None], changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._settings, self._host, self._library = settings, host, library
        self._publish, self._changed = publish, changed
        self.name, self.where = settings.model, settings.engine
        self.warm, self._text = 0.0, ""
        self._digest = ""
        """Of the model in use, once that was loaded."""
        self._came_up = asyncio.Event()
        self._awaits_new = False
        self._changing = asyncio.Lock()

    async def list(self, ticket: Ticket, _request: table.ListModels) -> None:
        for name in dict.fromkeys((*models.available(self._settings.data), self.name)):
            ticket.reply(answers.Model(ticket.id, name, int(name == self.name)))

    async def set(self, ticket: Ticket, request: table.SetModel) -> None:
        """Switch models.

        The old one is in use until the new one is ready, where there is memory for both, and
        comes back if the new one can't be loaded.
        """
        name = request.model
        known = (*models.available(self._settings.data), self._settings.model)
        is_known = name in known or name in SHORT_NAMES or is_hub_id(name)
        if not self.where and not is_known:  # another machine has others
            near = nearest(name, (*known, *SHORT_NAMES))
            raise Refused("bad_model", f"{name}: neither in /model/list nor a Hub id{near}")
        ticket.queued()
        async with self._changing:
            await self._change(name)

    async def move(self, ticket: Ticket, request: table.PlaceEngine) -> None:
        """Tell where the engine is; or have one elsewhere take over, once it is ready.

        What fails changes nothing.
        """
        if request.place is not None:
            where = "" if request.place == LOCAL else place(request.place)
            ticket.queued()
            async with self._changing:
                if where != self.where or self._host.state == "failed":  # a lost one is tried again
                    await self._move(where)
        host = self._host
        ticket.done(answers.EnginePlace(self.where or LOCAL, host.state, host.round_trip_ms))

    def on_engine(self, result: State | ModelFacts) -> None:
        """Act on a state of the engine's, or on the facts of a model it has just loaded."""
        if isinstance(result, ModelFacts):
            log.info("model %s: %d Hz, up to %.0f s", result.name, result.rate_hz,
                     result.max_seconds)  # fmt: skip
            self._digest = result.digest
            self._came_up.set()
            return
        level = logging.ERROR if result.state in ("dead", "lost", "failed") else logging.INFO
        log.log(level, "engine: %s %.0f %% %s", result.state, 100 * result.fraction, result.text)
        self.warm, self._text = result.fraction, result.text
        if result.state in ("dead", "lost"):
            self._library.engine_synced.clear()
            if self._awaits_new:  # it died as it loaded its model
                self._came_up.set()
        if result.state == "failed":
            self._library.engine_synced.set()
            self._came_up.set()
        self._publish(self.state())

    def state(self) -> answers.Engine:
        """The engine's, and its model."""
        state, facts = self._host.state, self._host.facts
        text = facts.device if facts is not None and state == "ready" else self._text
        return answers.Engine(state, self.warm, self.name, text, self.where or LOCAL)

    def _engines(self, where: str, name: str, digest: str = "") -> Engines:
        return engines(self._settings, where, name, self._host.spare, digest)

    async def _move(self, where: str) -> None:
        """Go on with an engine elsewhere, with the same model.

        Raises:
            Refused: it can't be used, and the one before is in use as it was.
        """
        before, wanted = self.where, self._digest
        try:
            loaded = await self._host.load(self._engines(where, self.name, wanted))
        except (NotLoaded, OSError) as error:
            raise Refused("bad_engine", str(error)) from None
        if wanted not in ("", digest := _digest(loaded)):
            await loaded.kill()
            raise Refused(
                "bad_engine", f"its model {self.name} is another, {digest[:8]}, not {wanted[:8]}"
            )
        if not await self._use(where, self.name, loaded):
            text = self._text
            await self._use(before, self.name)
            raise Refused("bad_engine", text)

    async def _change(self, name: str) -> None:
        before, where = self.name, self.where
        try:
            needed_bytes = models.needed_bytes(self._settings.data, name)
            loaded = await self._host.load_beside(self._engines(where, name), needed_bytes)
        except NotLoaded as error:
            raise Refused("bad_model", str(error)) from None
        except OSError as error:
            log.warning("%s isn't loaded beside %s: %s", name, before, error)
            loaded = None
        if await self._use(where, name, loaded):
            return
        text = self._text
        await self._use(where, before)
        raise Refused("bad_model", text)

    async def _use(self, where: str, name: str, loaded: Engine | None = None) -> bool:
        """Go on with another engine; returns whether its model could be loaded."""
        synced = self._library.engine_synced
        was_synced = synced.is_set()
        synced.clear()  # what is asked from now on waits for the new one
        try:
            await self._host.drain()
        except asyncio.CancelledError:
            if was_synced and self._host.facts is not None:
                synced.set()
            if loaded is not None:
                await loaded.kill()
            raise
        self._came_up.clear()
        self.where, self.name, self._awaits_new = where, name, True
        try:
            await self._host.restart(self._engines(where, name), loaded)
            await self._came_up.wait()
        finally:
            self._awaits_new = False
            self._changed()
        return self._host.facts is not None


def engines(
    settings: SessionSettings, where: str, model: str, spare: Spare, digest: str = ""
) -> Engines:
    """Where engines with a model come from: this machine, or another's `HOST:PORT`.

    `digest`: what the model's must be on another machine; any, if empty.
    """
    if where:
        return Remote(where, model, settings.data, digest)
    path = str(models.folder(settings.data, model) or model)
    return Local(
        spare, engine_arguments(path, settings.data, settings.memory_bytes, settings.compute)
    )


def _digest(engine: Engine) -> str:
    """Of the model of an engine that is ready."""
    return next(each.digest for each in engine.said if isinstance(each, ModelFacts))
