"""What PROTOCOL.md says beside the table holds: examples, defaults, codes, and the story."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import eutectic
from eutectic.cli.options import EMBEDDED
from eutectic.config import LearnSettings, SamplingSettings
from eutectic.osc import codes, examples
from eutectic.osc.answers import Unknown, read_answer
from eutectic.osc.parse import parse
from eutectic.osc.spec import PREFIX, Spec, flatten
from eutectic.osc.table import ANSWERS, REQUESTS

SOURCE = Path(eutectic.__file__).parent
ELSEWHERE = ("cli", "client", "experiments", "listening_test", "training", "doctor", "page")
"""Packages whose errors no request of the table ends with."""


def test_every_message_has_one_example_in_the_order_of_the_table() -> None:
    assert [line.split()[0] for line in examples.ASKED + examples.SENT] == [
        spec.address for spec in (*REQUESTS, *ANSWERS)
    ]


@pytest.mark.parametrize("spec", REQUESTS, ids=lambda spec: spec.address)
def test_a_request_s_example_is_taken_and_means_that_request(spec: Spec) -> None:
    address, values = examples.values_of(examples.line_of(spec))
    assert type(parse(PREFIX + address, values)) is spec.message


@pytest.mark.parametrize("spec", ANSWERS, ids=lambda spec: spec.address)
def test_an_answer_s_example_is_read_as_the_daemon_sends_it(spec: Spec) -> None:
    address, values = examples.values_of(examples.line_of(spec))
    answer = read_answer(PREFIX + address, values)
    assert type(answer) is spec.message
    assert flatten(answer) == values  # nothing was left to a default


def test_all_that_the_story_says_is_in_the_table() -> None:
    for step in examples.STORY:
        address, values = examples.values_of(step.sent)
        parse(PREFIX + address, values)
        for line in step.received:
            address, values = examples.values_of(line)
            assert not isinstance(read_answer(PREFIX + address, values), Unknown), line


def omissible() -> Iterator[tuple[Spec, str]]:
    """Every argument and option that may be left out."""
    for spec in REQUESTS:
        for each in (*spec.arguments, *spec.options):
            if each.optional or each in spec.options:
                yield spec, each.name


def test_what_may_be_left_out_has_a_default_and_nothing_else_has() -> None:
    there = list(omissible())
    assert not [(spec.address, name) for spec, name in there if not examples.default_of(spec, name)]
    known = {name for _, name in there} | {f"{spec.address} {name}" for spec, name in there}
    assert set(examples.DEFAULTS) <= known


def test_defaults_are_those_of_the_settings_and_of_the_embedded_model() -> None:
    for name in ("cfg", "apg", "steps", "order", "solver", "eta", "slack", "recall"):
        value = getattr(EMBEDDED, name)
        text = value if isinstance(value, str) else f"{value:g}"
        assert examples.DEFAULTS[name].endswith(f"(embedded: {text})")
    for name in ("seed", "residual", "residual_amount", "start"):
        value = getattr(SamplingSettings(), name)
        text = value if isinstance(value, str) else f"{value:g}"
        assert examples.DEFAULTS[name] == text
    assert examples.DEFAULTS["rank"] == str(LearnSettings().rank)
    assert examples.DEFAULTS["method"].endswith(f"(embedded: {EMBEDDED.learn.method})")
    steps = examples.DEFAULTS["/reference/learn steps"]
    assert steps.endswith(f"(embedded: {EMBEDDED.learn.steps})")


def raised() -> set[str]:
    """Every code that the daemon's source names: of its errors' classes, and where it fails."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if path.relative_to(SOURCE).parts[0] in ELSEWHERE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= set(_codes_of(node))
    return found


def _codes_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        for each in node.body:
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "code":
                yield from _texts(each.value)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        place = {"Refused": 0, "BadRequest": 0, "Stale": 0, "End": 0, "fail": 0, "Failed": 1,
                 "_fail": 1, "Fail": 2}.get(name)  # fmt: skip
        if place is not None and len(node.args) > place:
            yield from _texts(node.args[place])


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z]+)*", str(node.value)):
        yield str(node.value)


def test_the_codes_that_are_explained_are_those_that_the_daemon_can_fail_with() -> None:
    never = {
        "error",  # of the class that all others are
        "no_engine",  # requests say no_model, and why
        "bad_pack",  # packs are opened by `eutectic sessions unpack` alone
    }
    assert set(codes.CODES) == raised() - never


def test_a_request_names_codes_that_are_explained() -> None:
    named = [code for spec in REQUESTS for code in codes.of(spec.address)]
    assert not set(named) & set(codes.ALWAYS)
    assert {*named, *codes.ALWAYS, "unknown_address"} == set(codes.CODES)
    assert set(codes._BY_REQUEST) <= {spec.address for spec in REQUESTS}


def test_each_meaning_is_a_sentence() -> None:
    for text in codes.CODES.values():
        assert re.fullmatch(r"[A-Z0-9].*\.", text), text
