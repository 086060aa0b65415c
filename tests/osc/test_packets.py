"""OSC packets: messages and bundles to bytes and back."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eutectic.osc import packets
from eutectic.osc.packets import MAX_BUNDLE_DEPTH, Unusable, Value, decode, encode
from eutectic.osc.parse import parse
from eutectic.osc.spec import BadRequest
from osc_messages import bundle


@given(
    st.lists(
        st.one_of(
            st.integers(-(2**31), 2**31 - 1),
            st.floats(width=32, allow_nan=False),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        ),
        max_size=10,
    )
)
def test_what_is_encoded_is_decoded(values: list[Value]) -> None:
    assert decode(encode("/a/b", values)) == [("/a/b", tuple(values), None)]


def test_messages_of_a_bundle_are_due_at_its_time() -> None:
    inner = bundle(2.0, encode("/b", [2]))
    packet = bundle(1.0, encode("/a", [1]), inner, encode("/c", [3]))
    now = time.monotonic()
    messages = decode(packet)
    assert [(address, values) for address, values, _ in messages] == [
        ("/a", (1,)), ("/b", (2,)), ("/c", (3,)),
    ]  # fmt: skip
    assert [due - now for _, _, due in messages if due] == pytest.approx([1, 2, 1], abs=0.2)
    assert decode(bundle(None, encode("/a", [])))[0][2] is None


def test_a_bundle_of_the_client_is_due_at_its_time() -> None:
    now = time.monotonic()
    ((address, values, due),) = decode(packets.bundle(time.time() + 3, encode("/a", [1])))
    assert (address, values) == ("/a", (1,))
    assert due is not None and due - now == pytest.approx(3, abs=0.2)


def test_bundles_nested_too_deeply_are_refused() -> None:
    packet = encode("/a", [])
    for _ in range(MAX_BUNDLE_DEPTH + 1):
        packet = bundle(None, packet)
    with pytest.raises(ValueError, match="not an OSC packet"):
        decode(packet)


def padded(raw: bytes) -> bytes:
    return raw + b"\0" * (4 - len(raw) % 4)


def message(tags: str, *data: bytes) -> bytes:
    return padded(b"/a") + padded(f",{tags}".encode()) + b"".join(data)


TYPES = [
    ("i", struct.pack(">i", -3), -3), ("h", struct.pack(">q", 2**40), 2**40),
    ("f", struct.pack(">f", 0.5), 0.5), ("d", struct.pack(">d", 0.1), 0.1),
    ("s", padded(b"abcd"), "abcd"), ("S", padded(b"symbol"), "symbol"),
    ("c", struct.pack(">i", ord("x")), "x"), ("b", struct.pack(">i", 2) + b"xy\0\0", b"xy"),
    ("T", b"", True), ("F", b"", False), ("N", b"", None), ("I", b"", True),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "data", "value"), TYPES, ids=lambda each: str(each)[:1])
def test_every_type_is_read_and_what_follows_it(tag: str, data: bytes, value: object) -> None:
    end = struct.pack(">i", 7)
    assert decode(message(f"{tag}i", data, end)) == [("/a", (value, 7), None)]
    assert decode(message(f"[{tag}[]]i", data, end)) == [("/a", ([value, []], 7), None)]


@pytest.mark.parametrize(("tag", "size"), [("r", 4), ("m", 4), ("t", 8)])
def test_colours_midi_and_times_are_read_past(tag: str, size: int) -> None:
    ((_, values, _),) = decode(message(f"{tag}i", b"\1" * size, struct.pack(">i", 7)))
    assert len(values) == 2 and values[1] == 7


def test_a_type_that_is_not_osc_s_is_named_in_the_answer() -> None:
    ((_, values, _),) = decode(message("iQs", struct.pack(">i", 1), b"???"))
    assert values == (1, Unusable("Q"))
    with pytest.raises(BadRequest, match="voice must be a number, not an argument of type 'Q'"):
        parse("/eutectic/scrub", values[1:])


@pytest.mark.parametrize(
    ("raw", "text"), [("é".encode(), "é"), (b"caf\xe9", "café"), (b"a\x81b", "a\ufffdb")]
)
def test_text_that_is_not_utf_8_is_western(raw: bytes, text: str) -> None:
    assert decode(message("s", padded(raw))) == [("/a", (text,), None)]


@pytest.mark.parametrize("tags", ["[i", "i]", "]["])
def test_brackets_without_their_others_are_refused(tags: str) -> None:
    with pytest.raises(ValueError, match="not an OSC packet"):
        decode(message(tags, struct.pack(">i", 1)))
