"""The OSC table, first half: every request that the daemon takes, once.

Parsing, OSCQuery, PROTOCOL.md, `eutectic send` and the patches' tests all follow from these classes
and from those of `answers`. Addresses are written without the prefix `/eutectic` here.

Clients send what they can: Pure Data has only floats, so whole floats count as ints; a prompt may
be several arguments.
"""

from eutectic.near import nearest
from eutectic.osc import answers
from eutectic.osc.request import Request
from eutectic.osc.requests.daemon import (
    ListModels,
    Notify,
    Ping,
    PlaceEngine,
    SetModel,
    Status,
    Sync,
    Version,
)
from eutectic.osc.requests.devices import (
    LearnMidi,
    ListDevices,
    ListInputs,
    Replay,
    SetDevice,
    SetInput,
    StartRecording,
    StopRecording,
)
from eutectic.osc.requests.fusions import (
    AskPair,
    Cancel,
    ClearSchedule,
    Fuse,
    GoLive,
    ListFan,
    MakeFan,
    Panic,
    PlayPad,
    Redo,
    Render,
    Scrub,
    Stop,
    StopLive,
    Undo,
)
from eutectic.osc.requests.kept import (
    FreeFavourite,
    KeepFavourite,
    ListFavourites,
    ListPresets,
    ListSessions,
    LoadPreset,
    LoadSession,
    NewSession,
    PackSession,
    PlayFavourite,
    SavePreset,
    SaveSession,
)
from eutectic.osc.requests.sounds import (
    DeleteReference,
    FreeClip,
    FreeReference,
    GrabClip,
    Learn,
    ListClips,
    ListReferences,
    LoadClip,
    LoadReference,
    RecordClip,
    Remember,
    StopClip,
)
from eutectic.osc.requests.time import (
    SetClock,
    SetTempo,
    SetTransport,
    TapTempo,
)
from eutectic.osc.requests.voices import (
    VOICE_RANGES,
    FocusVoice,
    ListVoices,
    Note,
    SetEnvelope,
    SetFilter,
    SetMasterGain,
    SetSend,
    SetVoice,
)
from eutectic.osc.spec import (
    PREFIX,
    BadRequest,
    Option,
    Spec,
    annotated_arguments,
    printable,
    words_of,
)

__all__ = ["VOICE_RANGES"]


def _spec(kind: type[Request]) -> Spec:
    arguments = [each for each in annotated_arguments(kind) if each.name not in kind.hidden]
    return Spec(
        kind, kind.address, words_of(kind.__doc__),
        tuple(each for each in arguments if not isinstance(each, Option)),
        tuple(each for each in arguments if isinstance(each, Option)),
        tuple(each.address for each in kind.replies),
        annotated_arguments(kind.found) if kind.found is not None else (),
    )  # fmt: skip


KINDS: tuple[type[Request], ...] = (
    Ping, Version, Status, Sync, Notify, ListModels, SetModel, PlaceEngine,
    LoadClip, RecordClip, StopClip, GrabClip, FreeClip, ListClips, Remember, Learn,
    LoadReference, FreeReference, DeleteReference, ListReferences,
    Fuse, MakeFan, ListFan, AskPair, Scrub, PlayPad, GoLive, StopLive, Render, Cancel, Undo,
    Redo, Stop, Panic, ClearSchedule,
    SetVoice, Note, SetEnvelope, SetFilter, SetSend, FocusVoice, ListVoices, SetMasterGain,
    SetTempo, TapTempo, SetTransport, SetClock,
    SavePreset, LoadPreset, ListPresets, SaveSession, LoadSession, NewSession, ListSessions,
    PackSession, KeepFavourite, PlayFavourite, ListFavourites, FreeFavourite,
    ListDevices, SetDevice, ListInputs, SetInput, StartRecording, StopRecording, Replay,
    LearnMidi,
)  # fmt: skip
REQUESTS = tuple(_spec(kind) for kind in KINDS)
ANSWERS = tuple(
    Spec(kind, kind.address, words_of(kind.__doc__), annotated_arguments(kind))
    for kind in answers.ANSWERS
)

_BY_ADDRESS = {spec.address: spec for spec in REQUESTS}


def spec_of(address: str) -> Spec:
    """The request at an address, with or without the prefix.

    Raises:
        BadRequest: there is none.
    """
    short = "/" + address.removeprefix(PREFIX).lstrip("/")
    spec = _BY_ADDRESS.get(short)
    if spec is None:
        near = nearest(short, _BY_ADDRESS)
        raise BadRequest("unknown_address", f"there is no {printable(address)}{near}")
    return spec
