"""From what is wanted to a plan: sounds are found and read, and names settled, before any work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eutectic.config import LearnSettings
from eutectic.errors import BadInput, BadInputs
from eutectic.rendering import naming, sounds
from eutectic.rendering.gathering import Gatherer
from eutectic.rendering.models import ModelAsked
from eutectic.rendering.plan import Plan, varied
from eutectic.rendering.wishes import Wish

MOST_LINES = 50
"""Of sounds that can't be used, that are named."""


def _ignore(_done: int, _total: int) -> None:
    pass


def planned(
    wishes: Iterator[Wish],
    model: ModelAsked,
    suffix: str,
    name: str | None = None,
    learning: LearnSettings | None = None,
    without: Path | None = None,
    progress: sounds.Progress = _ignore,
) -> Plan:
    """A plan of all that is wished for.

    `name`: a template (None: one that tells everything apart). `learning`: None to learn nothing.
    `without`: the folder that is written to, in which nothing is found by chance.

    Raises:
        BadInput: a wish can't be understood, or the template doesn't tell everything apart.
        BadInputs: no original or no reference can be used, or one that was named on the command
            line isn't there.
    """
    gatherer = Gatherer(sounds.Finder(without), learning)
    typed = gatherer.add_all(wishes)
    gathered = gatherer.gathered()
    if not gathered.count:
        raise BadInput("nothing to fuse is named")
    several = varied(gathered)
    if name is None:
        presets = {each.preset for each in gathered.variants} - {""}
        template = naming.default_template([*several, *(["preset"] if presets else [])], suffix)
    else:
        template = naming.Template(name, suffix)
        naming.check_template(template, several)
    heard = sounds.hear(gathered.sections, model.max_seconds, progress)
    plan = Plan(gathered, heard, template, model)
    _check_usable(plan, typed)
    return plan


def reasons(plan: Plan) -> list[str]:
    """Why sounds of a plan can't be used, each once."""
    used = (*plan.gathered.originals, *plan.gathered.used)
    return list(dict.fromkeys(plan.heard[each].reason for each in used if plan.heard[each].reason))


def _check_usable(plan: Plan, typed: set[str]) -> None:
    """Raises:
    BadInputs: as `planned`.
    """
    gathered = plan.gathered
    missing = [
        plan.heard[number].reason
        for number, section in enumerate(gathered.sections)
        if plan.heard[number].reason and section.path in typed and not Path(section.path).exists()
    ]
    for some in (gathered.originals, gathered.used):
        if all(plan.heard[each].reason for each in some):
            missing += [plan.heard[each].reason for each in some]
    if missing:
        raise BadInputs([BadInput(each) for each in dict.fromkeys(missing[:MOST_LINES])])
