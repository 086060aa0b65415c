"""What answers make of a request: its reply, or its failure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eutectic.client.replies import RequestFailed, ends, is_for, lists, outcome, with_options
from eutectic.osc.answers import (
    Device,
    Done,
    Ended,
    Engine,
    Fail,
    Progress,
    Queued,
    SoundFile,
    packet,
    read_answer,
)
from eutectic.osc.packets import decode
from eutectic.osc.request import Request
from eutectic.osc.spec import PREFIX, Argument, annotated_arguments, flatten
from eutectic.osc.table import KINDS
from osc_messages import a_value

reporting = [kind for kind in KINDS if kind.found is not None]


def example(arguments: tuple[Argument, ...]) -> dict[str, Any]:
    """A value for each, floats as 32 bits hold them."""
    values = {each.name: a_value(each, number) for number, each in enumerate(arguments)}
    return {
        name: float(np.float32(value)) if isinstance(value, float) else value
        for name, value in values.items()
    }


@pytest.mark.parametrize("kind", reporting, ids=lambda kind: kind.address)
def test_what_a_request_reports_comes_through_its_done(kind: type[Request]) -> None:
    assert kind.found is not None
    build: Any = kind.found
    found = build(**example(annotated_arguments(kind.found)))
    sent = packet(Done(PREFIX + kind.address, 3, flatten(found)))
    ((address, values, _),) = decode(sent)
    last = read_answer(address, values)
    assert ends(last, kind.address, 3)
    reply = outcome(kind.address, last, [])
    assert reply.found == found and type(reply.found) is kind.found


def test_requests_that_report_nothing_find_none() -> None:
    for kind in KINDS:
        if kind.found is None:
            assert outcome(kind.address, Done(PREFIX + kind.address, 3), []).found is None


def test_a_reply_gives_its_answers_by_kind() -> None:
    earlier = [Queued(3), Progress(3, "fuse", 0.5), Progress(3, "fuse", 1.0)]
    reply = outcome("/render", Done("/eutectic/render", 3, ("x.wav", 10, 48_000)), list(earlier))
    assert reply.answers == earlier
    assert reply.of(Progress) == earlier[1:] and reply.of(Queued) == earlier[:1]
    assert reply.found == SoundFile("x.wav", 10, 48_000)


def test_a_failure_is_raised_with_its_code() -> None:
    with pytest.raises(RequestFailed, match="no clip x") as failed:
        outcome("/fuse", Fail("/eutectic/fuse", 3, "unknown_clip", "no clip x"), [])
    assert failed.value.code == "unknown_clip"


def test_a_request_ends_with_its_own_answer_alone() -> None:
    assert ends(Fail("/eutectic/fuse", 3, "busy", ""), "/fuse", 3)
    for other in (Done("/eutectic/fuse", 4), Done("/eutectic/fan", 3), Queued(3)):
        assert not ends(other, "/fuse", 3)


def test_answers_with_the_request_s_id_in_front_are_for_it() -> None:
    assert is_for(Queued(3), 3) and not is_for(Queued(4), 3)
    assert not is_for(Ended(3, 3), 3) and not is_for(Engine("ready", 1.0), 3)


def test_listed_answers_without_an_id_are_for_the_request_that_lists_them() -> None:
    assert lists(Device("null", "playing"), "/device/list")
    for address in ("/fuse", "/clip/list", "/nothing"):
        assert not lists(Device("null", "playing"), address)
    assert not lists(Ended(1, 3), "/fuse")


def test_options_are_sent_last_by_name() -> None:
    assert with_options((1, "a"), {"blend": 0.5, "loop": 1}) == (1, "a", "@blend", 0.5, "@loop", 1)


def test_a_done_of_another_version_gives_its_values_as_they_are() -> None:
    last = Done("/eutectic/render", 3, ("x.wav",))
    assert outcome("/render", last, []).found == ("x.wav",)
