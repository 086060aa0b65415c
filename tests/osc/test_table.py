from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.errors import BadSetting
from eutectic.osc import table as messages
from eutectic.osc.table import (
    ANSWERS,
    REQUESTS,
    Argument,
    BadRequest,
    Spec,
    answer,
    parse,
    protocol_markdown,
)

PROTOCOL = Path(__file__).parents[2] / "plugin_bridge" / "PROTOCOL.md"


def a_value(argument: Argument, number: int) -> Any:
    """A value that the argument takes, another for each number."""
    if argument.kind == "choice":
        return argument.choices[number % len(argument.choices)]
    if argument.kind in ("int", "float"):
        low = max(argument.low, -100.0)
        value = low + (min(argument.high, low + 100) - low) * (number % 7 + 1) / 9
        return math.ceil(value) if argument.kind == "int" else value
    return f"{argument.name}-{number}"


def everything(spec: Spec) -> tuple[list[Any], dict[str, Any]]:
    """A message with every argument and option, and what must be read of it."""
    arguments, expected = [], {}
    for number, each in enumerate(spec.arguments):
        expected[each.name] = a_value(each, number)
        arguments.append(expected[each.name])
    for number, each in enumerate(spec.options):
        expected[each.name] = a_value(each, number + 3)
        arguments += [f"@{each.name}", expected[each.name]]
    return arguments, expected


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_every_field_of_a_request_is_read_into_its_own_name(spec: Spec) -> None:
    arguments, expected = everything(spec)
    request = parse("/eutectic" + spec.address, arguments)
    assert request.spec is spec
    assert request.values == expected
    assert request.id == expected.get("id", -1)


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_floats_alone_say_the_same_as_ints(spec: Spec) -> None:
    arguments, expected = everything(spec)
    floats = [float(each) if isinstance(each, int) else each for each in arguments]
    assert parse("/eutectic" + spec.address, floats).values == expected


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_a_missing_argument_is_told_with_how_it_should_look(spec: Spec) -> None:
    needed = [each for each in spec.arguments if not each.optional]
    if not needed:
        return
    arguments = everything(spec)[0][: len(needed) - 1]
    with pytest.raises(BadRequest, match=f"{needed[-1].name} is missing: /eutectic") as told:
        parse("/eutectic" + spec.address, arguments)
    assert told.value.code == "bad_arguments"


@pytest.mark.parametrize("spec", ANSWERS, ids=lambda spec: spec.address)
def test_every_answer_can_be_built_and_refuses_what_osc_clients_can_not_read(spec: Spec) -> None:
    arguments, _ = everything(spec)
    assert answer(spec.address, *arguments) == ("/eutectic" + spec.address, tuple(arguments))
    with pytest.raises(ValueError, match="needs"):
        answer(spec.address)


@pytest.mark.parametrize(
    ("address", "arguments", "code", "text"),
    [
        ("/eutectic/nothing", [1], "unknown_address", "there is no /eutectic/nothing"),
        ("/ping", [1], "unknown_address", "there is no /ping"),
        ("/eutectic/ping", ["x"], "bad_arguments", "id must be a number"),
        ("/eutectic/ping", [1.5], "bad_arguments", "id must be a whole number"),
        ("/eutectic/ping", [1, 2], "bad_arguments", "1 arguments too many"),
        ("/eutectic/ping", [True], "bad_arguments", "id must be a number"),
        ("/eutectic/ping", [math.nan], "bad_arguments", "id must be 0 to"),
        ("/eutectic/ping", [2**40], "bad_arguments", "id must be 0 to"),
        ("/eutectic/stop", [17], "bad_arguments", "voice must be 1 to 16"),
        ("/eutectic/scrub", [1, 1.01], "bad_arguments", "blend must be 0 to 1"),
        ("/eutectic/clip/load", [1, "a b", "x.wav"], "bad_arguments", "clip must be a whole"),
        ("/eutectic/clip/load", [1, "a", "x\ny"], "bad_arguments", "path must be printable"),
        ("/eutectic/clip/load", [1, "a", b"x"], "bad_arguments", "path must be text"),
        ("/eutectic/clip/load", [1, "a", "x" * 1025], "bad_arguments", "1024 characters"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@blend"], "bad_option", "@blend needs a value"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@blend", 2], "bad_option", "blend must be 0 to 1"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@nope", 2], "bad_option", "@nope is no option"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@eta", 1, "@eta", 1], "bad_option", "twice"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@level", "loud"], "bad_option", "match, raw"),
        ("/eutectic/panic", [1] * 65, "bad_arguments", "more than 64"),
    ],
)
def test_a_wrong_request_is_told_in_a_line(
    address: str, arguments: list[Any], code: str, text: str
) -> None:
    with pytest.raises(BadRequest) as told:
        parse(address, arguments)
    assert told.value.code == code
    assert text in str(told.value) and "\n" not in str(told.value)


def test_a_wrong_request_keeps_its_id_where_it_can_be_read() -> None:
    for arguments, expected in (([7, "a b", "x"], 7), (["x"], -1), ([], -1)):
        with pytest.raises(BadRequest) as told:
            parse("/eutectic/clip/load", arguments)
        assert told.value.id == expected


def test_a_prompt_comes_in_as_many_words_and_numbers_as_it_likes() -> None:
    request = parse("/eutectic/reference/learn", [1, 2, 3.0, "a", 808.0, "kick drum", "@steps", 5])
    assert request.values["prompt"] == "a 808 kick drum"
    assert (request.values["reference"], request.values["clip"]) == ("2", "3")


def test_options_become_settings() -> None:
    values = parse(
        "/eutectic/fuse",
        [1, 1, "a", "b", "@seed", 3, "@eta", 0.5, "@negative", "hiss", "@remaining", 4],
    ).values
    assert messages.sampling(values) == SamplingSettings(seed=3, eta=0.5, negative="hiss")
    assert messages.place(values) == Place(remaining=4)
    assert messages.place({}) == Place(blend=0.5)
    with pytest.raises(BadSetting, match="either"):
        messages.place({"blend": 0.5, "remaining": 4})
    learn = parse("/eutectic/reference/learn", [1, "r", "c", "p", "@budget_s", 9, "@rank", 4])
    assert messages.learning(learn.values) == LearnSettings(rank=4, budget_seconds=9.0)


anything = st.one_of(
    st.integers(), st.floats(), st.text(max_size=40), st.binary(max_size=8), st.booleans(),
    st.none(), st.tuples(st.integers(0, 255)), st.sampled_from(["@blend", "@steps", "@", "@loop"]),
)  # fmt: skip


@given(st.sampled_from(REQUESTS), st.lists(anything, max_size=12))
def test_no_arguments_do_anything_but_be_read_or_refused(spec: Spec, arguments: list[Any]) -> None:
    refused: BadRequest | None = None
    try:
        parse("/eutectic" + spec.address, arguments)
    except BadRequest as error:
        refused = error
    assert refused is None or str(refused).isprintable()
    assert refused is None or -1 <= refused.id <= messages.LARGEST_INT


def test_the_published_protocol_is_the_table() -> None:
    assert PROTOCOL.read_text(encoding="utf-8") == protocol_markdown(), "run `make protocol`"


def test_every_answer_that_a_request_names_is_in_the_table() -> None:
    there = {spec.address for spec in ANSWERS}
    assert {name for spec in REQUESTS for name in spec.answers} <= there
