"""The codes of `/fail`: what each means, and which requests it may end."""

from __future__ import annotations

CODES = {
    "unknown_address": "There is no such message; the text names one that is spelled alike.",
    "bad_arguments": "An argument is missing, too many, out of range or of the wrong kind.",
    "bad_option": "An option is unknown here, out of range, given twice or without a value.",
    "bad_input": "What was given can't be used, for the reason in the text.",
    "bad_setting": "Options exclude each other, or have no meaning with this model.",
    "busy": "256 requests are open, or 32 jobs wait for the engine. Ask again later.",
    "cancelled": "By /cancel, /stop, /panic, a newer fusion on the voice, another model, or the "
    "daemon's end.",
    "not_allowed": "This client may only watch (`serve --watch`); `--allow` lets it do more.",
    "too_late": "It couldn't start within `@within_ms`.",
    "unknown_clip": "There is no clip of this name, nor one on its way.",
    "unknown_reference": "There is no reference of this name, nor one on its way.",
    "unknown_request": "Nothing of this client's with that id is running or scheduled.",
    "unknown_voice": "There are fewer voices; `serve --voices` sets how many.",
    "stale_clip": "The clip's file is gone or has changed: load it again.",
    "stale_reference": "It was learned by another model, or its file is gone: learn or load it "
    "again.",
    "bad_path": "A file outside the folders that are read or written, or with another ending.",
    "no_file": "There is no such file where files are looked for.",
    "bad_audio": "A sound that can't be read, is silent, too short, too long or not finite.",
    "stalled": "The disk that a file is on doesn't answer.",
    "bad_reference": "A LoRA file that can't be read, or is for another model.",
    "bad_model": "A model that is unknown, incomplete, or fails its check.",
    "bad_engine": "There is no engine at this address that can be used; the text says why.",
    "bad_device": "An audio device that is missing, in use, or runs at another rate.",
    "bad_output": "A file that can't be written, or exists: nothing is replaced.",
    "bad_state": "A preset, session or controller map that is missing or isn't valid; the text "
    "names file, line and key.",
    "no_model": "The engine isn't installed, couldn't load its model, or hasn't yet.",
    "no_memory": "There is no shared memory for a sound of this length.",
    "out_of_memory": "The model needs more memory than there is, even with empty caches.",
    "engine_died": "The engine died during this job. It starts again by itself: ask again.",
    "engine_lost": "The engine's machine couldn't be reached any more during this job. It is tried "
    "again by itself: ask again.",
    "no_session": "There is no session to save to: name one, or start `serve` with `--session`.",
    "no_midi": "No controller is open; `serve --midi` opens one.",
    "no_control": "No control was moved in 30 s.",
    "no_input": "No input device is open, or it was lost: `serve --input`, /input/set.",
    "no_clock": "There is no such clock: no such MIDI input, or Link isn't installed.",
    "followed": "The beats follow another clock; `/tempo/clock internal` lets you set them.",
    "nothing_to_play": "The voice has played nothing yet.",
    "nothing_to_undo": "The voice has nothing to go back or forth to.",
    "unknown_favourite": "There is no favourite of this name.",
    "recording": "The output, or the clip, is being recorded already.",
    "not_recording": "Nothing is being recorded.",
    "gaps": "It was recorded, but not whole: the disk was full or too slow, or the input was lost. "
    "What there is was kept; of a clip, it is loaded.",
    "internal": "A fault of Eutectic's. The log has more; please report it.",
}
"""Every code, with what it means."""

ALWAYS = ("bad_arguments", "bad_option", "not_allowed", "busy", "cancelled", "internal")
"""Codes that may end any request; those that `of` gives come on top."""

_ENGINE = ("no_model", "engine_died", "engine_lost", "out_of_memory")
_SOUND = ("bad_path", "no_file", "bad_audio", "stalled")
_PAIR = (
    "unknown_clip", "unknown_reference", "stale_clip", "stale_reference", "bad_setting",
    "bad_state", "no_memory", *_ENGINE,
)  # fmt: skip

_BY_REQUEST: dict[str, tuple[str, ...]] = {
    "/notify": ("bad_input",),
    "/model/set": ("bad_model",),
    "/engine/where": ("bad_engine", "bad_setting"),
    "/clip/load": (*_SOUND, *_ENGINE),
    "/clip/record": ("no_input", "recording", "bad_output", "bad_audio", "gaps", *_ENGINE),
    "/clip/record/stop": ("not_recording",),
    "/clip/grab": ("no_input", "recording", "bad_output", "bad_audio", *_ENGINE),
    "/clip/free": ("unknown_clip",),
    "/reference/remember": ("unknown_clip", "no_model"),
    "/reference/learn": ("unknown_clip", "stale_clip", *_ENGINE),
    "/reference/load": (
        "bad_path", "no_file", "bad_reference", "stalled", "unknown_clip", *_ENGINE,
    ),
    "/reference/free": ("unknown_reference",),
    "/reference/delete": ("unknown_reference", "stale_reference", "bad_output", *_ENGINE),
    "/fuse": ("unknown_voice", "too_late", *_PAIR),
    "/fan": _PAIR,
    "/fan/list": ("unknown_clip", "unknown_reference", "stale_reference", "bad_setting",
                  "bad_state"),
    "/pair": ("unknown_clip", "unknown_reference", "unknown_voice", "bad_setting", "bad_state"),
    "/scrub": ("unknown_voice",),
    "/pad/xy": ("unknown_voice", *_PAIR),
    "/live": ("unknown_voice", "no_input", *_PAIR),
    "/live/stop": ("unknown_voice",),
    "/undo": ("unknown_voice", "nothing_to_undo"),
    "/redo": ("unknown_voice", "nothing_to_undo"),
    "/render": ("bad_path", "bad_output", *_PAIR),
    "/cancel": ("unknown_request",),
    "/voice/set": ("unknown_voice",),
    "/note": ("unknown_voice", "nothing_to_play"),
    "/envelope": ("unknown_voice",),
    "/voice/filter": ("unknown_voice",),
    "/voice/send": ("unknown_voice",),
    "/focus": ("unknown_voice",),
    "/tempo": ("followed",),
    "/tempo/tap": ("followed",),
    "/tempo/run": ("followed",),
    "/tempo/clock": ("no_clock",),
    "/preset/save": ("bad_output",),
    "/preset/load": (
        "bad_state", *_SOUND, "bad_reference", "unknown_clip", "stale_clip", *_ENGINE,
    ),
    "/session/save": ("no_session", "bad_state", "bad_output"),
    "/session/load": ("bad_state", "bad_output"),
    "/session/new": ("bad_state", "bad_output"),
    "/session/pack": ("no_file", "bad_path", "bad_output", "bad_input"),
    "/favourite/keep": ("unknown_voice", "nothing_to_play", "bad_output"),
    "/favourite/play": ("unknown_voice", "unknown_favourite", "no_file", "bad_input"),
    "/favourite/free": ("unknown_favourite",),
    "/input/set": ("bad_device", "bad_path", "no_file"),
    "/device/set": ("bad_device", "bad_path", "bad_output"),
    "/record/start": ("recording", "bad_path", "bad_output"),
    "/record/stop": ("not_recording", "gaps", "bad_output"),
    "/replay": (
        "bad_path", "no_file", "bad_input", "stale_clip", *_ENGINE,
    ),
    "/midi/learn": ("no_midi", "no_control", "bad_state", "bad_output"),
}  # fmt: skip


def of(address: str) -> tuple[str, ...]:
    """The codes that may end this request, apart from those of ALWAYS."""
    return _BY_REQUEST.get(address, ())
