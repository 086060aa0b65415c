"""Answers as values: to OSC and back."""

from __future__ import annotations

from typing import Any

import pytest

from eutectic.osc import answers
from eutectic.osc.answers import Answer, Unknown, packet, read_answer, starts_with_id
from eutectic.osc.packets import decode
from eutectic.osc.spec import Spec, flatten
from eutectic.osc.table import ANSWERS
from osc_messages import everything

each_answer = pytest.mark.parametrize("spec", ANSWERS, ids=lambda spec: spec.address)


def example(spec: Spec) -> Answer:
    return read_answer("/eutectic" + spec.address, everything(spec)[0])


@each_answer
def test_every_answer_goes_to_osc_and_back(spec: Spec) -> None:
    arguments, _ = everything(spec)
    answer = example(spec)
    assert type(answer) is spec.message
    assert flatten(answer) == tuple(arguments)
    assert read_answer("/eutectic" + spec.address, flatten(answer)) == answer
    ((address, values, due),) = decode(packet(answer))
    assert (address, due) == ("/eutectic" + spec.address, None)
    assert values == pytest.approx(arguments)  # floats have 32 bits


@each_answer
def test_every_answer_needs_all_its_values(spec: Spec) -> None:
    build: Any = spec.message
    with pytest.raises(TypeError, match="Missing required argument"):
        build()
    needed = [each for each in spec.arguments if not each.optional]
    arguments, address = everything(spec)[0], "/eutectic" + spec.address
    malformed = [arguments[:count] for count in range(len(needed))]
    if spec.arguments[-1].kind != "words":
        malformed.append([*arguments, 1])
    for values in malformed:
        assert read_answer(address, values) == Unknown(address, tuple(values))


@each_answer
def test_text_and_numbers_do_not_stand_for_each_other(spec: Spec) -> None:
    """The daemon can't send them, and a client doesn't take them."""
    arguments, expected = everything(spec)
    for at, argument in enumerate(spec.arguments):
        if argument.kind in ("name", "words"):
            continue
        wrong = 1 if isinstance(arguments[at], str) else "word"
        build: Any = spec.message
        with pytest.raises(ValueError, match=f"{argument.name} can't be"):
            flatten(build(**expected | {argument.name: wrong}))
        values = (*arguments[:at], wrong, *arguments[at + 1 :])
        address = "/eutectic" + spec.address
        assert read_answer(address, values) == Unknown(address, values)


def test_an_answer_that_the_table_does_not_have_is_unknown() -> None:
    for address in ("/eutectic/nothing", "/done", "/eutectic/ping"):
        assert read_answer(address, [1, "x"]) == Unknown(address, (1, "x"))


def test_done_reports_any_number_of_values() -> None:
    for found in ((), ("made.wav", 44_100, 48_000)):
        done = answers.Done("/eutectic/render", 3, found)
        assert flatten(done) == ("/eutectic/render", 3, *found)
        assert read_answer("/eutectic/done", flatten(done)) == done


@each_answer
def test_an_answer_with_an_id_in_front_belongs_to_a_request(spec: Spec) -> None:
    assert starts_with_id(example(spec)) == (spec.arguments[0].name == "id")
