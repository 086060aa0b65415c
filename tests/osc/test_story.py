"""The story that PROTOCOL.md tells is what a daemon sends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from eutectic.osc import examples
from eutectic.osc.answers import Answer, Sent, read_answer
from eutectic.osc.spec import PREFIX, flatten

pytestmark = pytest.mark.process

SECONDS = 20.0
"""In which a step is answered, however busy the machine is."""


def alike(one: Answer, other: Answer) -> bool:
    """Whether they differ in nothing but measured figures, and counts of events."""
    if type(one) is not type(other):
        return False
    pairs = zip(flatten(one), flatten(other), strict=True)
    return isinstance(one, Sent) or all(
        isinstance(ours, float) or ours == theirs for ours, theirs in pairs
    )


def tell(client: Client, step: examples.Step) -> None:
    """Send what a step sends, and wait for all that it says is received."""
    wanted = [read_answer(PREFIX + address, values)
              for address, values in map(examples.values_of, step.received)]  # fmt: skip
    address, values = examples.values_of(step.sent)
    client.send(address, *values)
    until = time.monotonic() + SECONDS
    while wanted:
        assert time.monotonic() < until, f"after {step.sent} there was no {wanted}"
        answer = client.receive(SECONDS)
        wanted = [each for each in wanted if not alike(each, answer)]


def test_the_story_is_what_a_daemon_sends(tmp_path: Path) -> None:
    options = ("--model", "toy", "--device", "null", "--no-spare")
    with Daemon(tmp_path, *options) as process, process.client() as client:
        for step in examples.STORY:
            tell(client, step)
