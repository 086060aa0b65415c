"""The abstractions `eutectic.voice`, `.clip`, `.reference`, `.buffer`, `.keys` and `.tempo`.

Each prefixes its requests with the name of a receive of its own, to which the answers are sent. An
outlet has only one cord: where several things follow, a trigger sets their order.
"""

from __future__ import annotations

from py2max.core.box import Box
from sheet import ASK, IN, MINE, NOBODY, OUT, Sheet, answer, request

from eutectic.osc.table import VOICE_RANGES

DONE = "bang: done"
ANSWERS = "answers: queued, progress stage fraction, done, fail code text"
FREED = "#0-freed"


def _ask(sheet: Sheet, address: str, source: Box, outlet: int = 0, first: str = "") -> None:
    """Send an outlet's messages as the arguments of a request, after the `first` ones."""
    signed = sheet.obj(f"prepend {MINE} {request(address)} {first}".strip())
    sheet.cord(source, signed, outlet)
    sheet.cord(signed, sheet.obj(f"s {ASK}"))


def _free(sheet: Sheet, address: str, source: Box, outlet: int) -> None:
    """Free this abstraction's clip or reference."""
    message = sheet.message(f"{FREED} {request(address)} #1")
    sheet.cord(source, message, outlet)
    sheet.cord(message, sheet.obj(f"s {ASK}"))


def _cancel(sheet: Sheet, source: Box, outlet: int) -> None:
    """Cancel the request that was queued last."""
    newest = sheet.obj("r #0-newest")
    number = sheet.obj("i")
    signed = sheet.obj(f"prepend {NOBODY} {request('/cancel')}")
    sheet.cord(newest, number, inlet=1)
    sheet.cord(source, number, outlet)
    sheet.chain(number, signed, sheet.obj(f"s {ASK}"))


def _unknown(sheet: Sheet, source: Box, outlet: int, name: str) -> None:
    """Print unknown messages in Max's console."""
    sheet.cord(source, sheet.obj(f"print {name}"), outlet)


def _answers(sheet: Sheet, words: str, newest: bool = True) -> tuple[Box, Box, Box]:
    """Receive the answers to this abstraction.

    Returns:
        A route of the words and, last, queued; the box whose left outlet sends the answers without
        their ids; and the message box that shows them.
    """
    mine = sheet.obj(f"r {MINE}")
    copies = sheet.obj("t l l", min_width=260)
    sort = sheet.obj(f"route {words} queued", min_width=200)
    plain = sheet.obj("zl.nth 2", "removes the id", min_width=60)
    again = sheet.obj("t l l")
    line = sheet.obj("prepend set")
    state = sheet.message("no request yet")
    sheet.chain(mine, copies, sort)
    if newest:
        sheet.cord(sort, sheet.obj("s #0-newest"), len(words.split()))
    sheet.cord(copies, plain, 1)
    sheet.cord(plain, again, 1)
    sheet.cord(again, line, 1)
    sheet.cord(line, state)
    return sort, again, state


def _freed(sheet: Sheet, state: Box) -> None:
    """Show that it was freed, or why it wasn't."""
    freed = sheet.obj(f"r {FREED}")
    plain = sheet.obj("zl.nth 2")
    sort = sheet.obj("route done")
    done, failed = sheet.message("set freed"), sheet.obj("prepend set")
    sheet.cord(freed, plain)
    sheet.cord(plain, sort, 1)
    sheet.chain(sort, done, state)
    sheet.cord(sort, failed, 1)
    sheet.cord(failed, state)


def _outcome(sheet: Sheet) -> Box:
    """Outlets for the answers of a clip or a reference; returns the message box that shows them."""
    sort, plain, state = _answers(sheet, "done")
    done = sheet.obj("t b")
    outlets = [sheet.outlet(DONE), sheet.outlet(ANSWERS)]
    sheet.chain(sort, done, outlets[0])
    sheet.cord(plain, outlets[1])
    _freed(sheet, state)
    return state


def _title(sheet: Sheet, kind: str) -> Box:
    """The panel's title: the kind of abstraction and its name."""
    name = sheet.obj(f"loadmess set {kind} #1")
    title = sheet.ui("comment", (170, 20), text=kind, fontface=1)
    sheet.cord(name, title)
    return title


def voice() -> Sheet:
    """`eutectic.voice voice [controller]`."""
    sheet = Sheet(
        "eutectic.voice voice [controller]",
        "Fuses a clip with a reference and plays the fusion on one voice of the daemon. Needs an "
        "open [eutectic].",
        presentation=True,
    )
    sheet.section("Messages. All others are settings of the voice, or blend.", width=560)
    inlet = sheet.inlet("fuse original reference options; bang: repeat; blend, stop, gain, pan, …")
    sort = sheet.obj("route bang fuse stop blend cc", min_width=620)
    last = sheet.obj("zl.reg", min_width=60)
    sheet.chain(inlet, sort, last)
    sheet.cord(sort, last, 1)
    _ask(sheet, "/fuse", last, first="#1")
    stop = _stop(sheet, sort)
    others = _played(sheet, sort, 5)
    blend, gain = _settings(sheet, sort, others)
    _controller(sheet, sort, blend)
    title = _title(sheet, "voice")
    state = _voice_answers(sheet)
    labels = [sheet.ui("comment", (44, 20), text=text) for text in ("blend", "gain")]
    sheet.present(title, 4, 4, 150, 20)
    sheet.present(stop, 194, 4, 60, 22)
    for row, (label, slider) in enumerate(zip(labels, (blend, gain), strict=True)):
        sheet.present(label, 4, 32 + 26 * row, 44, 20)
        sheet.present(slider, 50, 32 + 26 * row, 204, 20)
    sheet.present(state, 6, 84, 248, 22)
    return sheet


def _stop(sheet: Sheet, sort: Box) -> Box:
    """Stop the voice, by a message or by the button that is returned."""
    stop = sheet.ui("textbutton", (60, 22), text="stop", row=1)
    alone = sheet.obj("route bang")
    at_once = sheet.message(f"{request('/stop')} #1")
    fading = sheet.obj(f"prepend {request('/stop')} #1")
    out = sheet.obj(f"s {OUT}")
    sheet.cord(sort, alone, 2)
    sheet.chain(alone, at_once, out)
    sheet.cord(stop, at_once)
    sheet.cord(alone, fading, 1)
    sheet.cord(fading, out)
    return stop


PLAYED = {
    "note": "/note", "envelope": "/envelope", "filter": "/voice/filter", "send": "/voice/send",
    "xy": "/scrub", "pad": "/pad/xy",
}  # fmt: skip
"""Messages of a voice that take arguments, and the requests that they are."""

PRESSED = {"undo": "/undo", "redo": "/redo", "focus": "/focus"}
"""Messages that take none."""


def _played(sheet: Sheet, source: Box, outlet: int) -> Box:
    """Play notes, two axes, the input, what was before and favourites.

    Returns:
        The route whose last outlet has all other messages.
    """
    words = (*PLAYED, *PRESSED, "live", "favourite", "keep")
    sort = sheet.obj("route " + " ".join(words), min_width=700)
    out = sheet.obj(f"s {OUT}")
    sheet.cord(source, sort, outlet)
    for at, word in enumerate(words):
        if word in PLAYED:
            signed = sheet.obj(f"prepend {request(PLAYED[word])} #1")
            sheet.cord(sort, signed, at)
            sheet.cord(signed, out)
        elif word in PRESSED:
            pressed = sheet.message(f"{request(PRESSED[word])} #1")
            sheet.cord(sort, pressed, at)
            sheet.cord(pressed, out)
    ends = sheet.obj("route stop")
    end, begin = sheet.message(f"{request('/live/stop')} #1"), request("/live")
    live = sheet.obj(f"prepend {begin} #1")
    sheet.cord(sort, ends, words.index("live"))
    sheet.chain(ends, end, out)
    sheet.cord(ends, live, 1)
    sheet.cord(live, out)
    for word in ("favourite", "keep"):
        named = sheet.obj("append #1")
        sheet.cord(sort, named, words.index(word))
        _ask(sheet, f"/favourite/{'play' if word == 'favourite' else 'keep'}", named)
    return sort


def _settings(sheet: Sheet, sort: Box, others: Box) -> tuple[Box, Box]:
    """Set blend and the voice's settings; returns the sliders of blend and gain."""
    blend = sheet.ui("slider", (140, 20), size=1.0, floatoutput=1, orientation=1)
    scrub = sheet.obj(f"prepend {request('/scrub')} #1")
    sheet.chain(blend, scrub, sheet.obj(f"s {OUT}"))
    sheet.cord(sort, blend, 3)
    settings = sheet.obj("routepass " + " ".join(VOICE_RANGES), min_width=200)
    change = sheet.obj(f"prepend {request('/voice/set')} #1")
    sheet.cord(others, settings, len(PLAYED) + len(PRESSED) + 3)
    for outlet in range(len(VOICE_RANGES)):
        sheet.cord(settings, change, outlet)
    sheet.cord(change, sheet.obj(f"s {OUT}"))
    sheet.cord(settings, blend, len(VOICE_RANGES))
    gain = sheet.ui("slider", (140, 20), size=66.0, min=-60.0, floatoutput=1, orientation=1, row=1)
    sheet.chain(gain, sheet.obj("prepend gain"), change)
    return blend, gain


def _controller(sheet: Sheet, sort: Box, blend: Box) -> None:
    """A MIDI controller for blend, set by the second argument or by `cc`; 0 is none."""
    first = sheet.obj("loadmess #2")
    midi = sheet.obj("ctlin", min_width=80)
    ours = sheet.obj("expr ($i1 == $i2) && ($i2 > 0)", min_width=180)
    gate = sheet.obj("gate")
    scaled = sheet.obj("/ 127.")
    sheet.cord(sort, ours, 4, 1)
    sheet.cord(first, ours, 0, 1)
    sheet.cord(midi, ours, 1)
    sheet.cord(ours, gate)
    sheet.cord(midi, gate, 0, 1)
    sheet.chain(gate, scaled, blend)


def _voice_answers(sheet: Sheet) -> Box:
    """Outlets for the answers of a voice; returns the message box that shows them."""
    sheet.section("Answers. Only the end of the fusion that started last counts.", width=560)
    sort, plain, state = _answers(sheet, "started ended", newest=False)
    begun, over = sheet.obj("zl.nth 1"), sheet.obj("zl.nth 1")
    on = sheet.obj("t 1 i")
    same, ended, off = sheet.obj("=="), sheet.obj("sel 1"), sheet.obj("t 0")
    outlets = [
        sheet.outlet("1: playing; 0: silent"),
        sheet.outlet(
            "answers: queued, progress stage fraction, started voice ms, done, ended, fail"
        ),
    ]
    sheet.chain(sort, begun, on, outlets[0])
    sheet.cord(on, same, 1, 1)
    sheet.cord(sort, over, 1)
    sheet.chain(over, same, ended, off, outlets[0])
    sheet.cord(plain, outlets[1])
    return state


def clip() -> Sheet:
    """`eutectic.clip name`."""
    sheet = Sheet(
        "eutectic.clip name",
        "A clip that the daemon keeps under this name: a sound file, which can be dropped here, or "
        "a recording of the daemon's input. Needs an open [eutectic].",
        presentation=True,
    )
    sheet.section("Messages", width=560)
    inlet = sheet.inlet("load path; record [seconds]; stop; grab seconds; free; cancel; bang")
    sort = sheet.obj("route bang load record free cancel grab stop", min_width=700)
    dialog = sheet.obj("opendialog sound")
    dropped = sheet.ui("dropfile", (110, 40), "drop a sound file here", row=1)
    load = sheet.obj(f"prepend {MINE} {request('/clip/load')} #1")
    sheet.chain(inlet, sort, dialog, load, sheet.obj(f"s {ASK}"))
    sheet.cord(dropped, load)
    sheet.cord(sort, load, 1)
    _ask(sheet, "/clip/record", sort, 2, "#1")
    _free(sheet, "/clip/free", sort, 3)
    _cancel(sheet, sort, 4)
    _ask(sheet, "/clip/grab", sort, 5, "#1")
    end = sheet.message(f"{NOBODY} {request('/clip/record/stop')} #1")
    sheet.cord(sort, end, 6)
    sheet.cord(end, sheet.obj(f"s {ASK}"))
    _unknown(sheet, sort, 7, "eutectic.clip")

    sheet.section("Answers", width=560)
    title = _title(sheet, "clip")
    state = _outcome(sheet)
    hint = sheet.ui("comment", (110, 20), text="drop a sound here")
    sheet.present(dropped, 4, 4, 252, 46)
    sheet.present(title, 10, 8, 150, 20)
    sheet.present(hint, 136, 26, 116, 20)
    sheet.present(state, 6, 56, 248, 22)
    return sheet


def reference() -> Sheet:
    """`eutectic.reference name`."""
    sheet = Sheet(
        "eutectic.reference name",
        "A reference under this name: a clip that is remembered, and learned by the model, with a "
        "prompt that describes it; or a LoRA file. Needs an open [eutectic].",
    )
    sheet.section("Messages", width=560)
    inlet = sheet.inlet("remember clip prompt; learn clip prompt options; load path; free; cancel")
    sort = sheet.obj("route learn remember load free cancel", min_width=760)
    sheet.cord(inlet, sort)
    _ask(sheet, "/reference/learn", sort, first="#1")
    _ask(sheet, "/reference/remember", sort, 1, "#1")
    _ask(sheet, "/reference/load", sort, 2, "#1")
    _free(sheet, "/reference/free", sort, 3)
    _cancel(sheet, sort, 4)
    _unknown(sheet, sort, 5, "eutectic.reference")

    sheet.section("Answers", width=560)
    _outcome(sheet)
    return sheet


def buffer() -> Sheet:
    """`eutectic.buffer buffer`."""
    sheet = Sheet(
        "eutectic.buffer buffer",
        "Renders a fusion to a file and reads it into the buffer~ of this name. Needs an open "
        "[eutectic].",
    )
    sheet.section(
        "Messages. Each file is named after the buffer, a count and the time; none is overwritten.",
        width=560,
    )
    inlet = sheet.inlet("render original reference options; bang: repeat; cancel")
    sort = sheet.obj("route bang render cancel", min_width=520)
    last = sheet.obj("zl.reg", min_width=60)
    fresh = sheet.obj("t l 1", min_width=90)
    parts = sheet.obj("zl.slice 2", "options, if any, come last", min_width=90)
    has_options = sheet.obj("t 2 l")
    sources = sheet.obj("t l b", min_width=60)
    named = sheet.obj("zl.join", min_width=60)
    branch = sheet.obj("gate 2", min_width=90)
    joined = sheet.obj("zl.join", min_width=60)
    sheet.chain(inlet, sort, last, fresh, parts, sources, named)
    sheet.cord(sort, last, 1)
    sheet.cord(fresh, branch, 1)
    sheet.cord(parts, has_options, 1)
    sheet.cord(has_options, joined, 1, 1)
    sheet.cord(has_options, branch)
    sheet.cord(named, branch, inlet=1)
    sheet.cord(branch, joined, 1)
    signed = sheet.obj(f"prepend {MINE} {request('/render')}")
    sheet.cord(branch, signed)
    sheet.chain(joined, signed, sheet.obj(f"s {ASK}"))
    sheet.cord(_file_name(sheet, sources), named, inlet=1)
    _cancel(sheet, sort, 2)
    _unknown(sheet, sort, 3, "eutectic.buffer")

    sheet.section("Answers. Frames and rate are sent once the file is in the buffer~.", width=560)
    sort, plain, _ = _answers(sheet, "done")
    found = sheet.obj("zl.slice 2", min_width=90)
    path = sheet.obj("zl.nth 2")
    replace = sheet.obj("prepend replace")
    sound = sheet.obj("buffer~ #1")
    size = sheet.obj("zl.reg", min_width=60)
    outlets = [
        sheet.outlet("frames, rate: the buffer~ holds the new fusion"),
        sheet.outlet(ANSWERS),
    ]
    sheet.chain(sort, found, path, replace, sound)
    sheet.cord(found, size, 1, 1)
    sheet.cord(sound, size, 1)
    sheet.cord(size, outlets[0])
    sheet.cord(plain, outlets[1])
    return sheet


def _file_name(sheet: Sheet, source: Box) -> Box:
    """A new file name (buffer, count, date, time) for each bang from the source's second outlet."""
    order = sheet.obj("t b b b", min_width=150)
    ask_date, ask_time = sheet.message("date"), sheet.message("time")
    count = sheet.obj("counter 1 9999")
    clock = sheet.obj("date", min_width=110)
    date, time = sheet.obj("unpack 0 0 0", min_width=90), sheet.obj("unpack 0 0 0", min_width=90)
    name = sheet.obj("sprintf symout #1-%ld-%ld%02ld%02ld-%02ld%02ld%02ld.wav", min_width=380)
    sheet.cord(source, order, 1)
    sheet.cord(order, ask_date, 2)
    sheet.cord(order, ask_time, 1)
    sheet.chain(order, count, name)
    sheet.cord(ask_date, clock)
    sheet.cord(ask_time, clock)
    sheet.cord(clock, date)
    sheet.cord(clock, time, 1)
    for outlet, inlet in enumerate((2, 3, 1)):  # month, day, year
        sheet.cord(date, name, outlet, inlet)
    for outlet, inlet in enumerate((4, 5, 6)):
        sheet.cord(time, name, outlet, inlet)
    return name


def keys() -> Sheet:
    """`eutectic.keys [voice] [channel]`."""
    sheet = Sheet(
        "eutectic.keys [voice] [channel]",
        "Plays notes on a voice, from MIDI and from the inlet: what it plays, at other pitches. "
        "Voice 0, the default, is the one in focus. Needs an open [eutectic].",
    )
    sheet.section("Messages", width=560)
    inlet = sheet.inlet("note velocity options; velocity 0: let it go; envelope a d s r")
    sort = sheet.obj("route envelope", min_width=160)
    envelope = sheet.obj(f"prepend {request('/envelope')} #1")
    note = sheet.obj(f"prepend {request('/note')} #1")
    sheet.chain(inlet, sort, envelope, sheet.obj(f"s {OUT}"))
    sheet.cord(sort, note, 1)
    sheet.chain(note, sheet.obj(f"s {OUT}"))

    sheet.section("MIDI, of the channel or, without one, of all. The wheel bends by two semitones.")
    midi, wheel = sheet.obj("notein", min_width=160), sheet.obj("bendin", min_width=90)
    pair = sheet.obj("pack 0 0", min_width=90)
    played = sheet.obj(f"prepend {request('/note')} #1")
    gate = _of_channel(sheet, midi, 2)
    sheet.cord(midi, pair)
    sheet.cord(midi, pair, 1, 1)
    sheet.cord(pair, gate, 0, 1)
    sheet.chain(gate, played, sheet.obj(f"s {OUT}"))
    semitones = sheet.obj("expr ($i1 - 64) / 32.", min_width=150)
    bend = sheet.obj(f"prepend {request('/voice/set')} #1 bend")
    gate = _of_channel(sheet, wheel, 1)
    sheet.cord(wheel, gate, 0, 1)
    sheet.chain(gate, semitones, bend, sheet.obj(f"s {OUT}"))
    return sheet


def _of_channel(sheet: Sheet, source: Box, outlet: int) -> Box:
    """A gate that is open while an outlet of MIDI channels sends ours, or we have none."""
    ours = sheet.obj("expr ($i1 == #2) || (#2 == 0)", min_width=190)
    gate = sheet.obj("gate")
    sheet.cord(source, ours, outlet)
    sheet.cord(ours, gate)
    return gate


def tempo() -> Sheet:
    """`eutectic.tempo`."""
    sheet = Sheet(
        "eutectic.tempo",
        "The daemon's tempo, set and followed. Between its events the beats are counted here. "
        "Needs an open [eutectic].",
    )
    sheet.section("Messages", width=560)
    inlet = sheet.inlet("bpm; bpm and the beat that it is now; tap; run 0 or 1")
    sort = sheet.obj("route tap run", min_width=260)
    tap = sheet.message(f"{request('/tempo/tap')} 1")
    run = sheet.obj(f"prepend {request('/tempo/run')}")
    bpm = sheet.obj(f"prepend {request('/tempo')}")
    sheet.cord(inlet, sort)
    for outlet, box in enumerate((tap, run, bpm)):
        sheet.cord(sort, box, outlet)
        sheet.cord(box, sheet.obj(f"s {OUT}"))
    _beats(sheet)
    return sheet


AHEAD = "(int($f2 + 0.95) - $f2)"
"""Beats until the next one; of one that is just over, less than 0."""


def _beats(sheet: Sheet) -> None:
    sheet.section(
        "Beats. One that an event comes just too late for is sounded all the same, and the next "
        "one is on time. None comes twice.",
        width=560,
    )  # fmt: skip
    events, sort = sheet.obj(f"r {IN}"), sheet.obj(f"route {answer('/tempo')}", min_width=160)
    parts = sheet.obj("unpack 0. 0. 0", min_width=400)
    sheet.chain(events, sort, parts)
    bpm, beat = sheet.obj("t f f f f", min_width=300), sheet.obj("t f f f", min_width=160)
    running, held, stop = (
        sheet.obj("t i i", min_width=60),
        sheet.obj("sel 0"),
        sheet.message("stop"),
    )
    sheet.cord(parts, bpm)
    sheet.cord(parts, beat, 1)
    sheet.cord(parts, running, 2)
    wait = sheet.obj(f"expr max(0., {AHEAD}) * 60000. / $f1", min_width=260)
    first = sheet.obj(f"expr (1. + min(0., {AHEAD})) * 60000. / $f1", min_width=300)
    every, number = sheet.obj("expr 60000. / $f1"), sheet.obj("expr int($f1 + 0.95)")
    changed = sheet.obj("change")
    for outlet, box in enumerate((wait, first, every, changed)):
        sheet.cord(bpm, box, outlet)
    for outlet, (box, at) in enumerate(((wait, 1), (first, 1), (number, 0))):
        sheet.cord(beat, box, outlet, at)
    gate, due = sheet.obj("gate"), sheet.obj("delay 500", min_width=70)
    sheet.cord(running, gate, 1)
    sheet.cord(wait, gate, 0, 1)
    sheet.chain(running, held, stop, due)
    sheet.chain(gate, due)
    sheet.chain(sheet.obj("r #0-again"), due)
    steps = sheet.obj("t b b b", min_width=200)
    after, then = sheet.obj("f", min_width=50), sheet.obj("f", min_width=50)
    count, counted = sheet.obj("i", min_width=50), sheet.obj("t i i", min_width=60)
    sheet.chain(due, steps, after)
    sheet.cord(every, after, inlet=1)
    sheet.cord(after, then, inlet=1)
    sheet.cord(first, then, inlet=1)
    sheet.cord(steps, then, 1)
    sheet.cord(then, sheet.obj("s #0-again"))
    sheet.cord(steps, count, 2)
    sheet.cord(number, count, inlet=1)
    sheet.cord(sheet.obj("r #0-count"), count, inlet=1)
    sheet.cord(count, counted)
    more, once = sheet.obj("+ 1"), sheet.obj("change -1")
    sheet.cord(counted, more, 1)
    sheet.cord(more, sheet.obj("s #0-count"))
    outlets = [sheet.outlet("each beat's number, on the beat"), sheet.outlet("bpm, as it changes")]
    sheet.chain(counted, once, outlets[0])
    sheet.cord(changed, outlets[1])
