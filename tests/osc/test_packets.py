"""OSC packets: messages and bundles to bytes and back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eutectic.osc import packets
from eutectic.osc.packets import MAX_BUNDLE_DEPTH, Value, decode, encode
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
