"""References: remembered at once, learned in the background, and what the engine has of them.

A reference that is only remembered sounds by recall alone (see the engine's `recall`), so nobody
waits for learning: a fusion uses the best that there is at the moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from eutectic.config import LearnSettings, PadState
from eutectic.files import names
from eutectic.link.protocol import (
    AddLora,
    Forget,
    Forgotten,
    Learn,
    Learned,
    LoraAdded,
    ReferenceSpec,
    Source,
)
from eutectic.near import nearest
from eutectic.osc import answers, table
from eutectic.osc.server import is_local
from eutectic.session import options
from eutectic.session.carrying import Carrier
from eutectic.session.jobs import Jobs
from eutectic.session.learning import Learning, Learnings
from eutectic.session.library import Library
from eutectic.session.pair import Clip, Knobs, Reference
from eutectic.session.presets import Preset, PresetReference
from eutectic.session.tickets import Refused, Ticket

log = logging.getLogger("eutectic.session")

_REMEMBER = "; /reference/remember makes one of a clip"


class References:
    """All references; owned by the event loop.

    Attributes:
        all: by name, those that can be fused with.
        missing: why the engine has nothing for some: files are gone that it hasn't kept, or a LoRA
            is for another model.
        recall: the model's own; None while that isn't known.
    """

    def __init__(
        self, jobs: Jobs, library: Library, carrier: Carrier, learned: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._carrier = jobs, library, carrier
        self._learned, self._changed = learned, changed
        self.all: dict[str, Reference] = {}
        self.missing: dict[str, str] = {}
        self.recall: float | None = None
        self._learnings = Learnings()

    async def named(self, name: str) -> Reference:
        """A reference by its name, after waiting for the clip of one that is new.

        Raises:
            Refused: there is none (`unknown_reference`), or another model learned it
                (`stale_reference`).
        """
        if name not in self.all:
            await self._learnings.until_remembered(name)
        self.check(name, on_its_way=False)
        return self.all[name]

    def check(self, name: str, on_its_way: bool = True) -> None:
        """Check that there is a reference of this name, or one on its way, if that is enough.

        Raises:
            Refused: as `named`.
        """
        if name not in self.all:
            if on_its_way and name in self._learnings:
                return
            near = nearest(name, (*self.all, *self._learnings))
            raise Refused("unknown_reference", f"there is no reference {name}{near or _REMEMBER}")
        if self._is_stale(self.all[name]):
            why = self.missing.get(name, f"reference {name} is another model's; learn it again")
            raise Refused("stale_reference", why)

    def at_hand(self, name: str) -> Reference | None:
        """One that can be fused with now."""
        known = self.all.get(name)
        return None if known is None or self._is_stale(known) else known

    def knobs_of(self, reference: Reference) -> Knobs:
        """Of its fusions where nothing else is asked for; no recall while that isn't known."""
        return Knobs(self.recall if reference.learned else 1.0, reference.strength)

    def state(self, name: str) -> str:
        """How far one is, in words."""
        stale = name in self.all and self._is_stale(self.all[name])
        if stale and name not in self.missing:
            return "not_learned"
        if name in self._learnings:
            return self._learnings.state(name)
        if name in self.missing:
            return "missing"
        return "learned" if self.all[name].learned else "remembered"

    def under_way(self) -> list[str]:
        """Those that are being learned, and how far that is."""
        return [f"{name} {self._learnings.state(name)}" for name in self._learnings]

    def pad(self, original: str, reference: str) -> PadState:
        """Whether a fusion of these could start."""
        known = reference in self.all
        if self._library.is_loading(original) or (not known and reference in self._learnings):
            return "working"
        ready = known and original in self._library.clips
        return "ready" if ready and not self._is_stale(self.all[reference]) else "off"

    def _is_stale(self, reference: Reference) -> bool:
        """Whether another model learned it; what is only remembered follows the model."""
        facts = self._jobs.host.facts
        return reference.learned and facts is not None and facts.digest != reference.model

    # Requests

    async def remember(self, ticket: Ticket, request: table.Remember) -> None:
        self._library.check(request.clip)
        with self._learnings.of(ticket, [request.reference]):
            await self._library.engine_synced.wait()
            clip = await self._library.clip(request.clip)
            self._remember(request.reference, clip, request.prompt or names.words(clip.source.path))

    async def learn(self, ticket: Ticket, request: table.Learn) -> None:
        settings, name = options.learning(request), request.reference
        self._library.check(request.clip)
        self._jobs.check_room()
        with self._learnings.of(ticket, [name]) as learnings:
            await self._library.engine_synced.wait()
            clip = await self._library.clip(request.clip)
            self._prepare(name, clip, request.prompt)
            learnings[name].remembered.set()
            ticket.queued()
            steps = await self._learn(learnings[name], name, clip, request.prompt, settings)
        ticket.done(answers.Learned(steps))

    async def load(self, ticket: Ticket, request: table.LoadReference) -> None:
        """Load a LoRA file; a clip that goes with it is remembered."""
        name = request.reference
        if request.clip is not None:
            self._library.check(request.clip)
        self._jobs.check_room()
        with self._learnings.of(ticket, [name], "loading") as learnings:
            path = await self._library.path(request.path, is_local(ticket.peer))
            ticket.queued()
            prompt = request.prompt or names.words(path)
            strength = 1.0 if request.strength is None else request.strength
            reference = PresetReference(name, prompt, request.clip, path, strength)
            added = await self._load(learnings[name], reference)
        ticket.done(answers.LoraLoaded(added.kind, added.rank))

    async def load_preset(
        self, ticket: Ticket, preset: Preset, playable: Callable[[], None]
    ) -> None:
        """Load and remember what a preset names, then learn it; nothing if a file is missing.

        `playable` is called once all of it can be fused with.
        """
        loras = [each for each in preset.references if each.lora is not None]
        learned = [each for each in preset.references if each.lora is None]
        references, found = [*loras, *learned], list[PresetReference]()
        with self._learnings.of(ticket, [each.name for each in references]) as learnings:

            async def find_loras() -> None:
                for each in loras:
                    path = await self._library.path(each.lora or "", local=True)
                    found.append(msgspec.structs.replace(each, lora=path))

            def loaded(clip: Clip) -> None:
                for each in references:
                    if each.clip == clip.name:
                        self._prepare(each.name, clip, each.prompt)
                        learnings[each.name].remembered.set()

            clips = [each.clip for each in references if each.clip is not None]
            await self._library.load_all(ticket, preset.clips, clips, loaded, find_loras)
            refused: list[Refused] = []
            for each in found:
                try:
                    await self._load(learnings[each.name], each)
                except Refused as error:  # the others can be played all the same
                    refused.append(error)
            playable()
            for each in (each for each in learned if each.learn):
                await self._learn_of_preset(learnings[each.name], each)
            if refused:
                raise refused[0]

    async def free(self, _ticket: Ticket, request: table.FreeReference) -> None:
        """Remove a reference; if it is being learned, cancel that."""
        name = request.reference
        if name not in self._learnings and name not in self.all:
            await self.named(name)  # raises the reason
        self._learnings.cancel(name, f"reference {name} was freed")
        self._remove(name)

    async def delete(self, ticket: Ticket, request: table.DeleteReference) -> None:
        """Remove a reference, and the file of what was learned unless another has it, too."""
        name = request.reference
        known, size = self.all.get(name), 0
        if known is not None and self._is_stale(known):
            raise Refused(
                "stale_reference", f"reference {name} is another model's: "
                "/reference/free removes it, and `eutectic references` deletes its file",
            )  # fmt: skip
        self.check(name)
        others = [each.spec for each in self.all.values() if each is not known]
        shared = known is not None and any(_share_file(known.spec, other) for other in others)
        if known is not None and known.learned and not shared:
            self._jobs.check_room()
            ticket.queued()
            forgotten = await self._jobs.run(Forget(0, known.spec), Forgotten, ticket.progress)
            size = forgotten.size
            self._carrier.forget(forgotten.keys)
        self._learnings.cancel(name, f"reference {name} was deleted")
        if self.all.get(name) is known:
            self._remove(name)
        ticket.done(answers.Deleted(size // 1000))

    async def list(self, ticket: Ticket, _request: table.ListReferences) -> None:
        for each in self.states():
            ticket.reply(msgspec.structs.replace(each, id=ticket.id))

    def states(self) -> Iterator[answers.Reference]:
        """What each is, and those that are being made."""
        for name in dict.fromkeys((*self.all, *self._learnings)):
            known = self.all.get(name)
            clip, prompt = ("", "") if known is None else (known.clip, known.spec.prompt)
            fraction = round(self._learnings.fraction(name), 2)
            yield answers.Reference(-1, name, clip, prompt, self.state(name), fraction)

    # A new engine, which has nothing yet

    async def resend(self) -> None:
        """Load all clips, and those of references, into an engine that has just started.

        What is only remembered is remembered under another model, too.
        """
        facts = self._jobs.host.facts
        if facts is None:  # it died again
            return
        self.recall = facts.recall
        self.missing.clear()
        before = dict(self.all)
        loaded = await self._library.resend(
            (each.spec.clip, each.source) for each in before.values() if each.clip
        )
        loras = {name: await self._again(each) for name, each in before.items() if each.lora}
        for each in before.values():
            clip = loaded.get((each.spec.clip, each.source))
            if clip is not None and each.spec.settings is not None and each.model == facts.digest:
                await self._carrier.reference(each.spec, clip.audio, facts)
        if self._jobs.host.facts is not facts:  # it died meanwhile, or has another model
            return
        for name, each in list(self.all.items()):
            clip = loaded.get((each.spec.clip, each.source))
            if before.get(name) is not each:
                continue  # it is new, and the engine has it
            lora = loras.get(name)
            if each.clip and clip is None:
                self._miss(name, f"{each.source.path} is missing")
            elif isinstance(lora, Refused):
                self._miss(name, str(lora))
            elif lora is not None:
                key = "" if clip is None else clip.key
                spec = msgspec.structs.replace(each.spec, clip=key, lora=lora.key)
                self.all[name] = replace(each, spec=spec, model=facts.digest)
            elif self._is_stale(each):
                log.warning("reference %s was learned by another model; learn it again", name)
            elif not each.learned and clip is not None:
                spec = msgspec.structs.replace(each.spec, clip=clip.key)
                self.all[name] = replace(each, spec=spec, model=facts.digest)
        self._library.engine_synced.set()
        self._jobs.host.resume()
        self._changed()

    # Parts

    def _miss(self, name: str, why: str) -> None:
        self.missing[name] = f"reference {name}: {why}"
        log.warning("%s", self.missing[name])

    def _remove(self, name: str) -> None:
        self.missing.pop(name, None)
        if self.all.pop(name, None) is not None:
            self._changed()

    def _prepare(self, name: str, clip: Clip, prompt: str) -> None:
        """Have something to fuse with while it is learned: what was learned of it, or its clip."""
        known = self.all.get(name)
        learned = known is not None and known.learned and known.spec.clip == clip.key
        if known is None or not learned or self._is_stale(known):
            self._remember(name, clip, prompt)

    def _remember(self, name: str, clip: Clip, prompt: str) -> None:
        self._put(name, clip, ReferenceSpec(clip.key, prompt))

    def _put(
        self, name: str, clip: Clip | None, spec: ReferenceSpec, lora: str = "",
        strength: float = 1.0,
    ) -> None:  # fmt: skip
        facts = self._jobs.host.facts
        if facts is None:
            raise Refused("no_model", self._jobs.host.failure or "the engine has no model yet")
        named, source = ("", Source(lora)) if clip is None else (clip.name, clip.source)
        self.all[name] = Reference(name, named, source, spec, facts.digest, lora, strength)
        self.missing.pop(name, None)
        self._changed()

    async def _learn(
        self, learning: Learning, name: str, clip: Clip, prompt: str, settings: LearnSettings
    ) -> int:
        """Learn a reference; returns the number of steps."""
        spec = ReferenceSpec(clip.key, prompt, settings)
        learned = await self._jobs.run(Learn(0, spec), Learned, learning.progress)
        self._put(name, clip, spec)
        self._learned(name)
        return learned.steps

    async def _load(self, learning: Learning, reference: PresetReference) -> LoraAdded:
        """Load a LoRA file, its path absolute, and remember the clip that goes with it, if any."""
        learning.doing, name, path = "loading", reference.name, reference.lora or ""
        await self._library.engine_synced.wait()
        clip = None if reference.clip is None else await self._library.clip(reference.clip)
        added = await self._jobs.run(AddLora(0, path), LoraAdded, learning.progress)
        spec = ReferenceSpec("" if clip is None else clip.key, reference.prompt, lora=added.key)
        self._put(name, clip, spec, path, reference.strength)
        self._learned(name)
        self._learnings.end(name, learning)
        return added

    async def _again(self, reference: Reference) -> LoraAdded | Refused:
        """A LoRA in a new engine, whose model may be another; or why that has nothing of it.

        The store has the LoRA of the same model, even if the file is gone.
        """
        facts = self._jobs.host.facts
        same = facts is not None and facts.digest == reference.model
        work = AddLora(0, reference.lora, reference.spec.lora if same else "")
        if work.key:
            await self._carrier.lora(work.key)
        try:
            return await self._jobs.run(work, LoraAdded, always=True)
        except Refused as error:
            return error

    async def _learn_of_preset(self, learning: Learning, reference: PresetReference) -> None:
        assert reference.clip is not None  # as there is no LoRA
        await self._library.engine_synced.wait()
        clip = await self._library.clip(reference.clip)
        await self._learn(learning, reference.name, clip, reference.prompt, reference.settings)
        self._learnings.end(reference.name, learning)


def _share_file(one: ReferenceSpec, other: ReferenceSpec) -> bool:
    """Whether the store has one file for both."""
    return one == other or (one.lora != "" and one.lora == other.lora)
