"""Requests as they arrive: every one of the table is read, and nothing else is."""

from __future__ import annotations

import math
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from eutectic.osc.parse import parse
from eutectic.osc.spec import LARGEST_INT, BadRequest, Spec, given
from eutectic.osc.table import REQUESTS, Fuse, Learn, LoadClip, Notify, Stop
from osc_messages import everything


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_every_field_of_a_request_is_read_into_its_own_name(spec: Spec) -> None:
    arguments, expected = everything(spec)
    request = parse("/eutectic" + spec.address, arguments)
    assert type(request) is spec.message
    assert request.address == spec.address
    assert given(request) == expected
    assert request.id == expected.get("id", 0 if spec.message is Notify else -1)


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_floats_alone_are_read_as_ints_are(spec: Spec) -> None:
    arguments, expected = everything(spec)
    floats = [float(each) if isinstance(each, int) else each for each in arguments]
    request = parse("/eutectic" + spec.address, floats)
    assert given(request) == expected
    assert request == parse("/eutectic" + spec.address, arguments)


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_a_missing_argument_is_named_with_the_usage(spec: Spec) -> None:
    needed = [each for each in spec.arguments if not each.optional]
    if not needed:
        return
    arguments = everything(spec)[0][: len(needed) - 1]
    with pytest.raises(BadRequest, match=f"{needed[-1].name} is missing: /eutectic") as refused:
        parse("/eutectic" + spec.address, arguments)
    assert refused.value.code == "bad_arguments"


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_what_is_left_out_is_none(spec: Spec) -> None:
    arguments, expected = everything(spec)
    needed = [each.name for each in spec.arguments if not each.optional]
    request = parse("/eutectic" + spec.address, arguments[: len(needed)])
    assert given(request) == {name: expected[name] for name in needed}


@pytest.mark.parametrize(
    ("address", "arguments", "code", "text"),
    [
        ("/eutectic/nothing", [1], "unknown_address", "there is no /eutectic/nothing"),
        ("/ping", [1], "unknown_address", "there is no /ping; did you mean /eutectic/ping?"),
        ("/eutectic/clip/lists", [3], "unknown_address", "did you mean /clip/list or"),
        ("/eutectic/ping", [], "bad_arguments", "id is missing: /eutectic/ping id"),
        ("/eutectic/fuse", [1, "a", "r"], "bad_arguments", "the id is missing: /eutectic/fuse id"),
        ("/eutectic/clip/load", ["a", "a.wav"], "bad_arguments", "the id is missing"),
        ("/eutectic/ping", ["x"], "bad_arguments", "id must be a number"),
        ("/eutectic/ping", [1.5], "bad_arguments", "id must be a whole number"),
        ("/eutectic/ping", [1, 2], "bad_arguments", "an argument too many"),
        ("/eutectic/ping", [math.nan], "bad_arguments", "id must be 0 to"),
        ("/eutectic/ping", [2**40], "bad_arguments", "id must be 0 to"),
        ("/eutectic/scrub", [17, 1], "bad_arguments", "voice must be 1 to 16"),
        ("/eutectic/scrub", [1, 1.01], "bad_arguments", "blend must be 0 to 1"),
        ("/eutectic/clip/load", [1, "a b", "x.wav"], "bad_arguments", "clip must be a whole"),
        ("/eutectic/clip/load", [1, "a", "x\ny"], "bad_arguments", "path must be printable"),
        ("/eutectic/clip/load", [1, "a", b"x"], "bad_arguments", "path must be words"),
        ("/eutectic/clip/load", [1, "a", "x" * 1025], "bad_arguments", "1024 characters"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@blend"], "bad_option", "@blend needs a value"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@blend", 2], "bad_option", "blend must be 0 to 1"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@nope", 2], "bad_option", "@nope is no option"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@eta", 1, "@eta", 1], "bad_option", "twice"),
        ("/eutectic/fuse", [1, 1, "a", "b", "@level", "loud"], "bad_option", "match, raw"),
        ("/eutectic/fan", [1, "a", "b", 3, "@blend", 0.5], "bad_option", "@blend is no option"),
        ("/eutectic/master/gain", [1] * 65, "bad_arguments", "more than 64"),
    ],
)
def test_an_invalid_request_is_refused_in_a_line(
    address: str, arguments: list[Any], code: str, text: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(address, arguments)
    assert refused.value.code == code
    assert text in str(refused.value) and "\n" not in str(refused.value)


def test_an_invalid_request_keeps_its_id_if_that_can_be_read() -> None:
    for address, arguments, expected in (
        ("/clip/load", [7, "a b", "x"], 7), ("/clip/load", ["x"], -1), ("/clip/load", [], -1),
        ("/nothing", [7, "a"], 7), ("/nothing", ["a"], -1), ("/fuse", [1, "a", "r"], -1),
    ):  # fmt: skip
        with pytest.raises(BadRequest) as refused:
            parse(f"/eutectic{address}", arguments)
        assert refused.value.id == expected


@pytest.mark.parametrize("address", ["/panic", "/schedule/clear", "/stop"])
@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], None), ([1], 1), ([1.0], 1), ([True], 1), ([0], 0), ([0.0], 0), ([False], 0),
        (["bang"], None), ([math.nan], None), ([0.5], None), ([-3], None), ([None], None),
        ([b"x"], None), (["@loop"], None), ([1] * 65, 1), ([0.0, "x", 3], 0),
    ],
)  # fmt: skip
def test_buttons_are_never_refused(address: str, arguments: list[Any], value: int | None) -> None:
    request = parse(f"/eutectic{address}", arguments)
    if isinstance(request, Stop):
        no_voice = arguments and arguments[0] in (0.5, -3, math.nan)
        assert request.voice == (0 if no_voice else value)
    else:
        assert request.press == value  # type: ignore[attr-defined]


def test_switches_take_true_and_false() -> None:
    on, off = (parse("/eutectic/fuse", [1, 1, "a", "r", "@loop", each]) for each in (True, False))
    assert isinstance(on, Fuse) and isinstance(off, Fuse)
    assert (on.loop, off.loop) == (1, 0) and type(on.loop) is int


def test_a_path_may_come_in_several_pieces() -> None:
    request = parse("/eutectic/clip/load", [1, "a", "My", "take", 2, "of", "3.wav", "@start", 1])
    assert isinstance(request, LoadClip)
    assert request.path == "My take 2 of 3.wav" and request.start == 1


def test_a_prompt_may_be_any_number_of_words_and_numbers() -> None:
    arguments = [1, 2, 3.0, "a", 808.0, "kick drum", "@steps", 5]
    assert parse("/eutectic/reference/learn", arguments) == Learn(
        id=1, reference="2", clip="3", prompt="a 808 kick drum", steps=5
    )


anything = st.one_of(
    st.integers(), st.floats(), st.text(max_size=40), st.binary(max_size=8), st.booleans(),
    st.none(), st.tuples(st.integers(0, 255)), st.sampled_from(["@blend", "@steps", "@", "@loop"]),
)  # fmt: skip


@hypothesis.given(st.sampled_from(REQUESTS), st.lists(anything, max_size=12))
def test_any_arguments_are_either_read_or_refused(spec: Spec, arguments: list[Any]) -> None:
    refused: BadRequest | None = None
    try:
        parse("/eutectic" + spec.address, arguments)
    except BadRequest as error:
        refused = error
    assert refused is None or str(refused).isprintable()
    assert refused is None or -1 <= refused.id <= LARGEST_INT
