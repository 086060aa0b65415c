"""The help patcher of each abstraction."""

from __future__ import annotations

import abstractions
import steps
from sheet import Sheet, options


def _sheet(title: str, description: str, arguments: str, inlet: str, outlets: str) -> Sheet:
    """A help patcher with the sections that all have in common."""
    sheet = Sheet(title, description)
    for head, text in (("Arguments", arguments), ("Inlet", inlet), ("Outlets", outlets)):
        sheet.section(head)
        sheet.paragraph(text)
    return sheet


def connection() -> Sheet:
    """`eutectic.maxhelp`."""
    sheet = _sheet(
        "eutectic",
        "The connection to Eutectic's daemon: sends OSC to it, stays registered for its events, "
        "assigns request ids, and routes each answer to the abstraction that sent the request.",
        "host (default 127.0.0.1), port (9720), reply port (one of its own, from 20000)",
        "Any message of PROTOCOL.md without the prefix /eutectic: /panic, /master/gain -6. If it "
        "has an id, use one below 1000; those above are assigned to abstractions.\n"
        "connect host port: use another daemon. meter 1: receive levels as well.",
        "1: done: address, id, results\n"
        "2: failed: address, id, error code, explanation\n"
        "3: everything else, with its address: /eutectic/engine ready 1.\n"
        "4: 1 while the daemon answers, else 0",
    )
    sheet.section("One is enough in Max: the newest serves all abstractions.", beside=True)
    messages = sheet.messages(
        "/ping 1", "/status 2", "/clip/list 3", "/master/gain -6.", "/panic", "meter 1"
    )
    panel = sheet.bpatcher("eutectic", "run eutectic serve in a terminal")
    for message in messages:
        sheet.cord(message, panel)
    for outlet, text in enumerate(("done", "failed", "everything else", "1: connected")):
        steps.show(sheet, panel, outlet, text)
    return sheet


def voice() -> Sheet:
    """`eutectic.voice.maxhelp`."""
    sheet = _sheet(
        "eutectic.voice",
        "A voice of the daemon: fuses a clip with a reference and plays the fusion.",
        "voice (1 to 16; the daemon has four by default), MIDI controller for blend (default none)",
        "fuse original reference options: fuse and play. bang: play the last fusion again.\n"
        "a number, or blend number: move from the reference (0) to the original (1).\n"
        "stop [fade-out ms]; gain dB; pan -1 to 1; out channel; loop 0 or 1; xfade ms; cfg number;"
        "\nrecall 0 to 1: from what the model learned to the reference as it is remembered; "
        "strength 0 to 2: of what was learned."
        "\ncc number: use another MIDI controller.\n"
        "note number velocity: play it at a pitch, until velocity 0; envelope attack decay sustain "
        "release; focus: keyboards play it.\n"
        "filter low, high, band or off, Hz, resonance; send 1 or 2, output, dB.\n"
        "pad and four pairs: one in each corner; xy x y: move between them.\n"
        "live reference options: fuse what comes in, over and over; live stop.\n"
        "undo; redo; keep name; favourite name.",
        "1: 1 when a fusion starts, 0 when it falls silent\n"
        "2: answers: queued, progress stage fraction, started voice ms, done, ended voice, "
        "fail code text",
    )
    steps.connect(sheet)
    steps.prepare(sheet, beside=True)
    sheet.section("3. Fuse, then move blend.")
    messages = sheet.messages(
        f"fuse glass low {options('/fuse', blend=0.5, loop=1)}",
        f"fuse glass low {options('/fuse', remaining=12, seed=7)}",
        "stop 500",
        "pan -0.5",
        "recall 0.8",
        f"note 67 100 {options('/note', gate=1.0)}",
        "filter low 800. 0.4",
        f"live low {options('/live', every=2.0)}",
        "live stop",
        "undo",
    )
    blend = sheet.ui("flonum", (60, 22), "blend", minimum=0.0, maximum=1.0)
    panel = sheet.bpatcher("eutectic.voice 1")
    steps.try_out(sheet, (*messages, blend), panel, ("toggle", "playing"))
    return sheet


def clip() -> Sheet:
    """`eutectic.clip.maxhelp`."""
    sheet = _sheet(
        "eutectic.clip",
        "A clip that the daemon keeps: a sound file, or a recording of its input.",
        "name: a word of letters, digits and _ . -, or a whole number",
        "load path options: a path in the daemon's clip folder (--clips), or the name of a clip "
        "that ships. bang: choose a file. Files can also be dropped onto its panel in a bpatcher.\n"
        "record seconds: record the daemon's input; without seconds, until stop. grab seconds: "
        "what was heard just now. free: remove the clip. cancel: cancel the last request.",
        f"1: {abstractions.DONE}\n2: {abstractions.ANSWERS}",
    )
    steps.connect(sheet)
    sheet.section("The daemon reads only files in its clip folder (--clips).", beside=True)
    part = options("/clip/load", start=0.5, duration=2.0)
    messages = sheet.messages(
        f"load {steps.shipped(steps.ORIGINAL)}",
        f"load {steps.shipped(steps.REFERENCE)} {part}",
        "record 4.",
        "stop",
        "grab 4.",
        "free",
    )
    panel = sheet.bpatcher("eutectic.clip glass")
    steps.try_out(sheet, messages, panel, ("button", "loaded or recorded"))
    return sheet


def reference() -> Sheet:
    """`eutectic.reference.maxhelp`."""
    sheet = _sheet(
        "eutectic.reference",
        "A reference: a clip that gives its character to others. It can be fused with at once, and "
        "is learned in the background.",
        "name: a word of letters, digits and _ . -, or a whole number",
        "learn clip prompt options: the prompt describes the clip, in as many words as needed.\n"
        "remember clip prompt: the same without learning; the prompt may be left out.\n"
        "load path: a LoRA file of the model's kind instead of a clip.\n"
        "free: remove the reference. cancel: cancel the last request.",
        f"1: {abstractions.DONE}\n2: {abstractions.ANSWERS}",
    )
    steps.connect(sheet)
    sheet.section("Learning doesn't disturb playback; fusions play before it is done.", beside=True)
    load = sheet.message(f"load {steps.shipped(steps.REFERENCE)}")
    sheet.chain(load, sheet.obj("eutectic.clip drone"))
    sheet.section()
    short = options("/reference/learn", budget_s=20.0)
    messages = sheet.messages(
        "remember drone",
        "learn drone warm low drone",
        f"learn drone warm low drone {short}",
        "cancel",
        "free",
    )
    box = sheet.obj("eutectic.reference low", min_width=160)
    steps.try_out(sheet, messages, box, ("button", "remembered or learned"))
    return sheet


def buffer() -> Sheet:
    """`eutectic.buffer.maxhelp`."""
    sheet = _sheet(
        "eutectic.buffer",
        "Renders a fusion to a sound file in the daemon's render folder (--renders) and reads it "
        "into a buffer~.",
        "buffer: the name of the buffer~, which is inside this abstraction",
        "render original reference options. bang: render again. cancel: cancel the last request.",
        f"1: frames and rate, once the buffer~ holds the fusion\n2: {abstractions.ANSWERS}",
    )
    steps.connect(sheet)
    steps.prepare(sheet, beside=True)
    sheet.section("3. Render, and play the result in Max.")
    messages = sheet.messages(
        f"render glass low {options('/render', blend=0.3)}",
        f"render glass low {options('/render', blend=0.7, seed=7)}",
    )
    box = sheet.obj("eutectic.buffer fused", min_width=160)
    for message in messages:
        sheet.cord(message, box)
    start = sheet.message("startloop")
    rate = sheet.obj("sig~ 1.")
    groove = sheet.obj("groove~ fused 2", numinlets=3, numoutlets=3)
    sheet.chain(box, start, groove)
    sheet.cord(rate, groove)
    steps.play(sheet, groove, groove, (0, 1))
    steps.show(sheet, box, 1, "answers")
    return sheet


def keys() -> Sheet:
    """`eutectic.keys.maxhelp`."""
    sheet = _sheet(
        "eutectic.keys",
        "A fusion on a keyboard: a voice plays what it plays, or would, at the pitch of each note.",
        "voice (default 0: the one in focus), MIDI channel (default 0: all)",
        "note velocity options: play it, until velocity 0 of the same note, or for @gate seconds.\n"
        "envelope attack decay sustain release: in ms, sustain 0 to 1.",
        "none: the voice has the answers",
    )
    steps.connect(sheet)
    steps.prepare(sheet, beside=True)
    sheet.section("3. Fuse, then play.")
    fuse = sheet.message(f"fuse glass low {options('/fuse', blend=0.5)}")
    sheet.chain(fuse, sheet.bpatcher("eutectic.voice 1"))
    messages = sheet.messages(
        "60 100", "60 0", f"67 100 {options('/note', gate=0.5)}", "envelope 20. 300. 0.5 800."
    )
    box = sheet.obj("eutectic.keys 1", min_width=160)
    for message in messages:
        sheet.cord(message, box)
    return sheet


def tempo() -> Sheet:
    """`eutectic.tempo.maxhelp`."""
    sheet = _sheet(
        "eutectic.tempo",
        "The daemon's tempo, which all its clients and sounds have in common, and its beats. "
        "Whatever starts or stops can wait for one: @quantise 4, @at_beat 32.",
        "none",
        "a number: bpm, 20 to 400; two: bpm, and the beat that it is now.\n"
        "tap: a beat, now; the tempo follows from the last few. run 1 or 0: let the beats run, or "
        "hold them.",
        "1: each beat's number, on the beat\n2: bpm, as it changes",
    )
    steps.connect(sheet)
    sheet.section("Each beat is counted here, from the daemon's last event on.", beside=True)
    messages = sheet.messages("120. 0.", "90.", "tap", "run 0", "run 1")
    box = sheet.obj("eutectic.tempo", min_width=160)
    for message in messages:
        sheet.cord(message, box)
    sheet.cord(box, sheet.ui("number", (60, 22), "beat"))
    sheet.cord(box, sheet.ui("flonum", (60, 22), "bpm"), 1)
    return sheet
