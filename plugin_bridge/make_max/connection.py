"""`eutectic`: the connection, which puts in the ids of requests and hands answers to who asked."""

from __future__ import annotations

from sheet import ASK, NOBODY, OUT, OWNER, Sheet, answer, request

from eutectic.osc.spec import PORT, PREFIX

RENEW_MS, SILENCE_MS = 10_000, 25_000
"""Between two `/notify`; without an answer for so long, the daemon isn't there."""

FIRST_ID, LAST_ID = 1_000, 9_999
"""Of those given here, again and again: many more than the daemon has open at once. Smaller ones
are for messages that come into the inlet with an id."""

FIRST_PORT, PORTS = 20_000, 10_000
"""Reply ports, by the number that Max gives each instance: below those that systems give out."""

SEEN = (260, 60)
"""Width and height of what is seen through a bpatcher."""


def connection() -> Sheet:
    """The patcher."""
    sheet = Sheet(
        "eutectic [host] [port] [reply port]",
        "The connection to the daemon. One of them serves every other abstraction in this Max.",
        presentation=True,
    )
    _inlet(sheet)
    _numbers(sheet)
    _socket(sheet)
    _turns(sheet)
    _answers(sheet)
    _post(sheet)
    return sheet


def _inlet(sheet: Sheet) -> None:
    sheet.section(
        "1. Messages as PROTOCOL.md has them, with an id (below 1000) where there is one. The "
        "prefix is put in. Where there are no arguments, a gate leads past the list of them."
    )
    inlet = sheet.inlet("messages as in PROTOCOL.md: /panic, /clip/list 1; connect, meter")
    words = sheet.obj("route connect meter", wide=240)
    connect, meter = sheet.obj("s #0-connect"), sheet.obj("s #0-meter")
    fresh = sheet.obj("t l 1", wide=60)
    address = sheet.obj("zl.slice 1", wide=90)
    some = sheet.obj("t 2 l")
    whole = sheet.obj(f"sprintf symout {PREFIX}%s")
    past = sheet.obj("gate 2", wide=90)
    joined = sheet.obj("zl.join")
    out = sheet.obj(f"s {OUT}")
    sheet.chain(inlet, words, connect)
    sheet.cord(words, meter, 1)
    sheet.cord(words, fresh, 2)
    sheet.cord(fresh, past, 1)
    sheet.chain(fresh, address, whole)
    sheet.cord(address, some, 1)
    sheet.cord(some, joined, 1, 1)
    sheet.cord(some, past)
    sheet.cord(whole, past, inlet=1)
    sheet.cord(past, out)
    sheet.cord(past, joined, 1)
    sheet.cord(joined, out)


def _numbers(sheet: Sheet) -> None:
    sheet.section(
        "2. What abstractions ask: the name of a receive, an address, arguments. A number comes "
        "behind the address, and is kept with the name."
    )
    may = sheet.obj("r #0-speaks")
    asked = sheet.obj(f"r {ASK}")
    speaks = sheet.obj("gate")
    parts = sheet.obj("t l l b", wide=160)
    count = sheet.obj(f"counter {FIRST_ID} {LAST_ID}")
    twice = sheet.obj("t i i")
    name = sheet.obj("zl.nth 1")
    pair = sheet.obj("zl.join")
    keep = sheet.message("$2 send $1")
    mail = sheet.obj("s #0-ids")
    rest = sheet.obj("zl.slice 1")
    address = sheet.obj("zl.slice 1")
    number = sheet.obj("zl.join")
    whole = sheet.obj("zl.join", wide=90)
    out = sheet.obj(f"s {OUT}")
    sheet.cord(may, speaks)
    sheet.cord(asked, speaks, inlet=1)
    sheet.chain(speaks, parts)
    sheet.cord(parts, count, 2)
    sheet.cord(count, twice)
    sheet.cord(twice, pair, 1, 1)
    sheet.cord(twice, number, 0, 1)
    sheet.cord(parts, name, 1)
    sheet.chain(name, pair, keep, mail)
    sheet.cord(parts, rest)
    sheet.cord(rest, address, 1)
    sheet.cord(address, whole, 1, 1)
    sheet.chain(address, number, whole, out)


def _socket(sheet: Sheet) -> None:
    sheet.section(
        "3. Arguments: where the daemon is, and the port that it answers to: one of this "
        "instance's own where none is given.",
        beside=True,
    )
    given = sheet.obj(f"patcherargs 127.0.0.1 {PORT} 0")
    order = sheet.obj("t b l b", wide=240)
    me = sheet.obj("i #0")
    claim = sheet.obj(f"s {OWNER}")
    unpack = sheet.obj("unpack s 0 0", wide=160)
    connect = sheet.obj("r #0-connect")
    again = sheet.obj("unpack s 0")
    host = sheet.obj("prepend host")
    port = sheet.obj("prepend port")
    wanted = sheet.obj("sel 0", wide=60)
    own = sheet.obj(f"expr {FIRST_PORT} + #0 % {PORTS}")
    both = sheet.obj("t i i")
    bind = sheet.obj("prepend port")
    listen = sheet.obj(f"udpreceive {FIRST_PORT - 1}")
    heard = sheet.obj("s #0-heard")
    keep = sheet.obj("s #0-port")
    may = sheet.obj("r #0-speaks")
    sends = sheet.obj(f"r {OUT}")
    gate = sheet.obj("gate", "only the one that speaks")
    lease = sheet.obj("r #0-notify")
    socket = sheet.obj(f"udpsend 127.0.0.1 {PORT}")
    sheet.cord(lease, socket)
    sheet.chain(given, order, me, claim)
    sheet.cord(order, unpack, 1)
    sheet.cord(order, own, 2)
    sheet.chain(unpack, host, socket)
    sheet.cord(unpack, port, 1)
    sheet.cord(port, socket)
    sheet.chain(connect, again, host)
    sheet.cord(again, port, 1)
    sheet.cord(unpack, wanted, 2)
    sheet.cord(wanted, both, 1)
    sheet.chain(own, both, keep)
    sheet.cord(both, bind, 1)
    sheet.chain(bind, listen, heard)
    sheet.cord(may, gate)
    sheet.cord(sends, gate, inlet=1)
    sheet.chain(gate, socket)


def _turns(sheet: Sheet) -> None:
    sheet.section(
        "4. The newest connection in Max speaks; when one is closed, another takes over (0 calls "
        "for it). The one that speaks renews its lease of 30 s by itself."
    )
    heard = sheet.obj(f"r {OWNER}")
    both = sheet.obj("t i i", wide=120)
    mine = sheet.obj("== #0")
    then = sheet.obj("t i i", wide=120)
    speaks = sheet.obj("s #0-speaks")
    lease = sheet.obj(f"metro {RENEW_MS}")
    port = sheet.obj("r #0-port")
    number = sheet.obj("i")
    meter = sheet.obj("r #0-meter")
    pair = sheet.obj("pack 0 0", wide=90)
    notify = sheet.message(f"{request('/notify')} 1 $1 @meter $2")
    out = sheet.obj("s #0-notify")
    left = sheet.obj("sel 0")
    closed = sheet.obj("freebang", row=0)
    end = sheet.obj("t 0 0", wide=80)
    alive = sheet.obj("gate 1 1")
    again = sheet.obj("i #0")
    claims = sheet.obj(f"s {OWNER}")
    leaves = sheet.obj(f"s {OWNER}")
    sheet.chain(heard, both, left)
    sheet.cord(left, alive, inlet=1)
    sheet.chain(alive, again, claims)
    sheet.chain(closed, end, leaves)
    sheet.cord(end, alive, 1)
    sheet.cord(both, mine, 1)
    sheet.chain(mine, then, lease, number, pair, notify, out)
    sheet.cord(then, speaks, 1)
    sheet.cord(port, number, inlet=1)
    sheet.cord(meter, pair, inlet=1)


def _answers(sheet: Sheet) -> None:
    sheet.section(
        "5. What the daemon says comes out here, whole. The lease is answered every ten seconds: "
        "where nothing is heard for longer, the daemon isn't there.",
        beside=True, width=560,
    )  # fmt: skip
    heard = sheet.obj("r #0-heard")
    order = sheet.obj("t l l l b", wide=360)
    there = sheet.obj("t b 1")
    late = sheet.obj(f"delay {SILENCE_MS}")
    gone = sheet.obj("t 0")
    change = sheet.obj("change")
    led = sheet.ui("led", (24, 24))
    post = sheet.obj("s #0-post")
    show = sheet.obj(f"route {answer('/engine')} {answer('/xrun')}")
    line = sheet.obj("prepend set")
    state = sheet.message("nothing heard")
    lost = sheet.ui("number", (56, 22))
    sort = sheet.obj(f"route {answer('/done')} {answer('/fail')}", wide=230)
    lease = sheet.obj(f"route {request('/notify')}", "the lease's is left out", wide=160)
    outlets = [
        sheet.outlet("done: address, id, what it found"),
        sheet.outlet("failed: address, id, a word for programs, a line for people"),
        sheet.outlet("all else, with its address: /eutectic/engine ready 1."),
        sheet.outlet("1: the daemon answers; 0: it doesn't"),
    ]
    sheet.cord(heard, order)
    sheet.cord(order, there, 3)
    sheet.cord(there, change, 1)
    sheet.chain(there, late, gone, change, led, outlets[3])
    sheet.cord(order, post, 2)
    sheet.cord(order, show, 1)
    sheet.chain(show, line, state)
    sheet.cord(show, lost, 1)
    sheet.chain(order, sort, lease)
    sheet.cord(lease, outlets[0], 1)
    sheet.cord(sort, outlets[1], 1)
    sheet.cord(sort, outlets[2], 2)

    title = sheet.ui("comment", (80, 23), text="eutectic", fontsize=14, fontface=1)
    count = sheet.ui("comment", (44, 20), text="xruns")
    panic = sheet.ui("textbutton", (60, 22), text="panic")
    silence = sheet.message(request("/panic"))
    sheet.chain(panic, silence, sheet.obj(f"s {OUT}"))
    sheet.show(title, 4, 4, 80, 23)
    sheet.show(led, 88, 4, 22, 22)
    sheet.show(panic, 194, 4, 60, 22)
    sheet.show(state, 6, 32, 148, 22)
    sheet.show(count, 158, 33, 44, 20)
    sheet.show(lost, 202, 32, 52, 22)


def _post(sheet: Sheet) -> None:
    sheet.section(
        "6. An answer that somebody here asked for becomes a word, the id and the rest, and goes "
        "to the receive whose name is kept under the id; without one, to nobody.",
        width=560,
    )  # fmt: skip
    post = sheet.obj("r #0-post")
    ends = ("/done", "/fail", "/ended")
    others = ("/queued", "/progress", "/started")
    sort = sheet.obj("route " + " ".join(map(answer, ends + others)), wide=560)
    steps = sheet.obj("t l l b", wide=160)
    sheet.cord(post, sort)
    for at, address in enumerate(ends[:2]):
        rest = sheet.obj("zl.slice 1")
        word = sheet.obj(f"prepend {address[1:]}")
        sheet.cord(sort, rest, at)
        sheet.cord(rest, word, 1)
        sheet.cord(word, steps)
    turned = sheet.message("ended $2 $1")
    sheet.cord(sort, turned, 2)
    sheet.cord(turned, steps)
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
