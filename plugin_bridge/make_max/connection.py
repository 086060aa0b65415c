"""`eutectic`: the connection, which assigns request ids and routes answers to the senders."""

from __future__ import annotations

from py2max.core.box import Box
from sheet import ASK, IN, NOBODY, OUT, OWNER, Sheet, answer, request

from eutectic.osc.spec import PORT, PREFIX

RENEW_MS, SILENCE_MS = 10_000, 25_000
"""Interval of `/notify`, and the silence after which the daemon counts as gone."""

FIRST_ID, LAST_ID = 1_000, 9_999
"""Ids assigned here, in rotation: far more than the daemon ever has open. Smaller ones are left to
messages that arrive at the inlet with an id of their own."""

FIRST_PORT, PORTS = 20_000, 10_000
"""Reply ports, picked by the number that Max gives each instance; below the ephemeral range."""


def connection() -> Sheet:
    """The patcher."""
    sheet = Sheet(
        "eutectic [host] [port] [reply port]",
        "The connection to the daemon. One is enough for all abstractions in Max.",
        presentation=True,
    )
    _inlet(sheet)
    _numbers(sheet)
    _socket(sheet)
    _ownership(sheet)
    _answers(sheet)
    _route(sheet)
    return sheet


def _inlet(sheet: Sheet) -> None:
    sheet.section(
        "1. Messages as in PROTOCOL.md, with an id below 1000 if they have one. The prefix is "
        "added. Without arguments, a gate bypasses the list of them."
    )
    inlet = sheet.inlet("messages as in PROTOCOL.md: /panic, /clip/list 1; connect, meter")
    sort = sheet.obj("route connect meter", min_width=240)
    connect, meter = sheet.obj("s #0-connect"), sheet.obj("s #0-meter")
    fresh = sheet.obj("t l 1", min_width=60)
    address = sheet.obj("zl.slice 1", min_width=90)
    has_arguments = sheet.obj("t 2 l")
    prefixed = sheet.obj(f"sprintf symout {PREFIX}%s")
    branch = sheet.obj("gate 2", min_width=90)
    joined = sheet.obj("zl.join")
    out = sheet.obj(f"s {OUT}")
    sheet.chain(inlet, sort, connect)
    sheet.cord(sort, meter, 1)
    sheet.cord(sort, fresh, 2)
    sheet.cord(fresh, branch, 1)
    sheet.chain(fresh, address, prefixed)
    sheet.cord(address, has_arguments, 1)
    sheet.cord(has_arguments, joined, 1, 1)
    sheet.cord(has_arguments, branch)
    sheet.cord(prefixed, branch, inlet=1)
    sheet.cord(branch, out)
    sheet.cord(branch, joined, 1)
    sheet.cord(joined, out)


def _numbers(sheet: Sheet) -> None:
    sheet.section(
        "2. Requests from abstractions: the name of a receive, an address, arguments. An id is "
        "inserted after the address and stored with the name."
    )
    active = sheet.obj("r #0-speaks")
    asked = sheet.obj(f"r {ASK}")
    gate = sheet.obj("gate")
    parts = sheet.obj("t l l b", min_width=160)
    count = sheet.obj(f"counter {FIRST_ID} {LAST_ID}")
    copies = sheet.obj("t i i")
    name = sheet.obj("zl.nth 1")
    pair = sheet.obj("zl.join")
    entry = sheet.message("$2 send $1")
    store = sheet.obj("s #0-ids")
    rest = sheet.obj("zl.slice 1")
    address = sheet.obj("zl.slice 1")
    numbered = sheet.obj("zl.join")
    joined = sheet.obj("zl.join", min_width=90)
    out = sheet.obj(f"s {OUT}")
    sheet.cord(active, gate)
    sheet.cord(asked, gate, inlet=1)
    sheet.chain(gate, parts)
    sheet.cord(parts, count, 2)
    sheet.cord(count, copies)
    sheet.cord(copies, pair, 1, 1)
    sheet.cord(copies, numbered, 0, 1)
    sheet.cord(parts, name, 1)
    sheet.chain(name, pair, entry, store)
    sheet.cord(parts, rest)
    sheet.cord(rest, address, 1)
    sheet.cord(address, joined, 1, 1)
    sheet.chain(address, numbered, joined, out)


def _socket(sheet: Sheet) -> None:
    sheet.section(
        "3. Arguments: the daemon's host and port, and the port for its replies; by default each "
        "instance has its own.",
        beside=True,
    )
    arguments = sheet.obj(f"patcherargs 127.0.0.1 {PORT} 0")
    order = sheet.obj("t b l b", min_width=240)
    instance = sheet.obj("i #0")
    claim = sheet.obj(f"s {OWNER}")
    unpack = sheet.obj("unpack s 0 0", min_width=160)
    connect = sheet.obj("r #0-connect")
    elsewhere = sheet.obj("unpack s 0")
    host = sheet.obj("prepend host")
    port = sheet.obj("prepend port")
    reply_port = sheet.obj("sel 0", min_width=60)
    own = sheet.obj(f"expr {FIRST_PORT} + #0 % {PORTS}")
    both = sheet.obj("t i i")
    bind = sheet.obj("prepend port")
    listen = sheet.obj(f"udpreceive {FIRST_PORT - 1}")
    received = sheet.obj("s #0-heard")
    port_in_use = sheet.obj("s #0-port")
    active = sheet.obj("r #0-speaks")
    outgoing = sheet.obj(f"r {OUT}")
    gate = sheet.obj("gate", "open if this is the active one")
    lease = sheet.obj("r #0-notify")
    socket = sheet.obj(f"udpsend 127.0.0.1 {PORT}")
    sheet.cord(lease, socket)
    sheet.chain(arguments, order, instance, claim)
    sheet.cord(order, unpack, 1)
    sheet.cord(order, own, 2)
    sheet.chain(unpack, host, socket)
    sheet.cord(unpack, port, 1)
    sheet.cord(port, socket)
    sheet.chain(connect, elsewhere, host)
    sheet.cord(elsewhere, port, 1)
    sheet.cord(unpack, reply_port, 2)
    sheet.cord(reply_port, both, 1)
    sheet.chain(own, both, port_in_use)
    sheet.cord(both, bind, 1)
    sheet.chain(bind, listen, received)
    sheet.cord(active, gate)
    sheet.cord(outgoing, gate, inlet=1)
    sheet.chain(gate, socket)


def _ownership(sheet: Sheet) -> None:
    sheet.section(
        "4. The newest connection in Max is the active one; when it is closed, another takes over "
        "(0 asks for one). The active one keeps renewing its registration, which lasts 30 s."
    )
    owner = sheet.obj(f"r {OWNER}")
    both = sheet.obj("t i i", min_width=120)
    mine = sheet.obj("== #0")
    switch = sheet.obj("t i i", min_width=120)
    active = sheet.obj("s #0-speaks")
    lease = sheet.obj(f"metro {RENEW_MS}")
    port = sheet.obj("r #0-port")
    number = sheet.obj("i")
    meter = sheet.obj("r #0-meter")
    pair = sheet.obj("pack 0 0", min_width=90)
    notify = sheet.message(f"{request('/notify')} 1 $1 @meter $2 @name Max")
    out = sheet.obj("s #0-notify")
    vacant = sheet.obj("sel 0")
    closed = sheet.obj("freebang", row=0)
    end = sheet.obj("t 0 0", min_width=80)
    still_open = sheet.obj("gate 1 1")
    instance = sheet.obj("i #0")
    claim = sheet.obj(f"s {OWNER}")
    leave = sheet.obj(f"s {OWNER}")
    sheet.chain(owner, both, vacant)
    sheet.cord(vacant, still_open, inlet=1)
    sheet.chain(still_open, instance, claim)
    sheet.chain(closed, end, leave)
    sheet.cord(end, still_open, 1)
    sheet.cord(both, mine, 1)
    sheet.chain(mine, switch, lease, number, pair, notify, out)
    sheet.cord(switch, active, 1)
    sheet.cord(port, number, inlet=1)
    sheet.cord(meter, pair, inlet=1)


def _answers(sheet: Sheet) -> None:
    sheet.section(
        "5. Everything the daemon sends comes out here unchanged. It answers each renewal, every "
        "ten seconds; after a longer silence it counts as gone.",
        beside=True, width=560,
    )  # fmt: skip
    received = sheet.obj("r #0-heard")
    order = sheet.obj("t l l l b", min_width=360)
    present = sheet.obj("t b 1")
    silence = sheet.obj(f"delay {SILENCE_MS}")
    gone = sheet.obj("t 0")
    change = sheet.obj("change")
    led = sheet.ui("led", (24, 24))
    post = sheet.obj("s #0-post")
    show = sheet.obj(f"route {answer('/engine')} {answer('/xrun')}")
    setter = sheet.obj("prepend set")
    state = sheet.message("not connected")
    xruns = sheet.ui("number", (56, 22))
    sort = sheet.obj(f"route {answer('/done')} {answer('/fail')}", min_width=230)
    lease = sheet.obj(f"route {request('/notify')}", "drops the answers to /notify", min_width=160)
    others = sheet.obj("t l l", min_width=90)
    outlets = [
        sheet.outlet("done: address, id, results"),
        sheet.outlet("failed: address, id, error code, explanation"),
        sheet.outlet("everything else, with its address: /eutectic/engine ready 1."),
        sheet.outlet("1: the daemon answers; 0: it doesn't"),
    ]
    sheet.cord(received, order)
    sheet.cord(order, present, 3)
    sheet.cord(present, change, 1)
    sheet.chain(present, silence, gone, change, led, outlets[3])
    sheet.cord(order, post, 2)
    sheet.cord(order, show, 1)
    sheet.chain(show, setter, state)
    sheet.cord(show, xruns, 1)
    sheet.chain(order, sort, lease)
    sheet.cord(lease, outlets[0], 1)
    sheet.cord(sort, outlets[1], 1)
    sheet.cord(sort, others, 2)
    sheet.cord(others, outlets[2])
    sheet.cord(others, sheet.obj(f"s {IN}"), 1)
    _panel(sheet, led, state, xruns)


def _panel(sheet: Sheet, led: Box, state: Box, xruns: Box) -> None:
    title = sheet.ui("comment", (80, 23), text="eutectic", fontsize=14, fontface=1)
    xruns_label = sheet.ui("comment", (44, 20), text="xruns")
    panic = sheet.ui("textbutton", (60, 22), text="panic")
    sheet.chain(panic, sheet.message(request("/panic")), sheet.obj(f"s {OUT}"))
    sheet.present(title, 4, 4, 80, 23)
    sheet.present(led, 88, 4, 22, 22)
    sheet.present(panic, 194, 4, 60, 22)
    sheet.present(state, 6, 32, 148, 22)
    sheet.present(xruns_label, 158, 33, 44, 20)
    sheet.present(xruns, 202, 32, 52, 22)


def _route(sheet: Sheet) -> None:
    sheet.section(
        "6. An answer to an abstraction's request becomes a word, the id and the rest, and is sent "
        "to the receive stored under its id; if there is none, to nobody.",
        width=560,
    )  # fmt: skip
    post = sheet.obj("r #0-post")
    ends = ("/done", "/fail", "/ended")
    others = ("/queued", "/progress", "/started")
    sort = sheet.obj("route " + " ".join(map(answer, ends + others)), min_width=560)
    steps = sheet.obj("t l l b", min_width=160)
    sheet.cord(post, sort)
    for at, address in enumerate(ends[:2]):
        rest = sheet.obj("zl.slice 1")
        word = sheet.obj(f"prepend {address[1:]}")
        sheet.cord(sort, rest, at)
        sheet.cord(rest, word, 1)
        sheet.cord(word, steps)
    ended = sheet.message("ended $2 $1")
    sheet.cord(sort, ended, 2)
    sheet.cord(ended, steps)
    for at, address in enumerate(others, len(ends)):
        word = sheet.obj(f"prepend {address[1:]}")
        sheet.cord(sort, word, at)
        sheet.cord(word, steps)
    number = sheet.obj("zl.nth 2")
    nobody = sheet.message(f"send {NOBODY}")
    ids = sheet.obj("r #0-ids")
    names = sheet.obj("coll")
    forward = sheet.obj(f"forward {NOBODY}")
    sheet.cord(steps, nobody, 2)
    sheet.cord(steps, number, 1)
    sheet.chain(number, names, forward)
    sheet.cord(ids, names)
    sheet.cord(nobody, forward)
    sheet.cord(steps, forward)
