from __future__ import annotations

from pathlib import Path

from eutectic.osc.protocol import protocol_markdown
from eutectic.osc.table import ANSWERS, REQUESTS

PROTOCOL = Path(__file__).parents[2] / "plugin_bridge" / "PROTOCOL.md"


def test_the_published_protocol_is_the_table() -> None:
    assert PROTOCOL.read_text(encoding="utf-8") == protocol_markdown(), "run `make protocol`"


def test_every_answer_that_a_request_names_is_in_the_table() -> None:
    there = {spec.address for spec in ANSWERS}
    assert {name for spec in REQUESTS for name in spec.answers} <= there


def test_no_two_messages_have_one_address_and_each_has_its_docstring() -> None:
    for specs in (REQUESTS, ANSWERS):
        assert len({spec.address for spec in specs}) == len(specs)
        assert all(spec.what.endswith(".") for spec in specs)
