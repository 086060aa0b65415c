from __future__ import annotations

from eutectic.session.history import Step, _Track, see
from eutectic.session.kept import KeptVoice

FUSED = {"original": "a", "reference": "r", "seed": 1}


def step(**settings: object) -> Step:
    return Step(KeptVoice(1, **settings), None)  # pyright: ignore[reportArgumentType]


def track(*seen: tuple[float, Step]) -> _Track:
    steps = _Track()
    for now, each in seen:
        see(steps, each, now)
    return steps


def test_the_first_fusion_is_no_step_and_the_next_is() -> None:
    first, second = step(request=FUSED), step(request=FUSED | {"seed": 2})
    steps = track((100, step()), (101, first), (101.1, second))
    assert list(steps.undo) == [first]


def test_knobs_that_go_on_turning_are_one_step_and_after_a_rest_another() -> None:
    start, one, two = step(), step(gain_db=-1.0), step(gain_db=-2.0, pan=0.5)
    steps = track((100, start), (101, one), (101.9, two), (102.8, one), (105, two))
    assert list(steps.undo) == [start, one]


def test_a_knob_that_turns_after_a_fusion_is_a_step_of_its_own() -> None:
    first, second = step(request=FUSED), step(request=FUSED | {"seed": 2})
    steps = track((100, first), (101, step(request=FUSED, blend=0.7)), (101.1, second),
                  (101.2, step(request=FUSED | {"seed": 2}, blend=0.1)))  # fmt: skip
    assert len(steps.undo) == 3


def test_a_fusion_that_follows_its_voices_knob_is_no_step_but_one_asked_for_is() -> None:
    before = step(request=FUSED, recall=0.3)
    follows = step(request=FUSED | {"recall": 0.3}, recall=0.3)
    asked = step(request=FUSED | {"recall": 0.9}, recall=0.3)
    assert not track((100, before), (105, follows)).undo
    assert list(track((100, before), (105, asked)).undo) == [before]


def test_no_more_than_the_last_steps_are_kept() -> None:
    steps = track(*((10.0 * n, step(gain_db=-float(n))) for n in range(50)))
    assert len(steps.undo) == 32
    assert steps.undo[-1].kept.gain_db == -48
