"""Requests about what is kept between nights."""

from typing import Annotated

from eutectic.config import MAX_VOICES
from eutectic.osc import answers
from eutectic.osc.fields import Name, Path
from eutectic.osc.request import JOB, Answered, AtBeat, Quantise
from eutectic.osc.spec import Argument, Option

Keep = Annotated[int | None, Option("int", "1: what plays plays on; else it fades out", 0, 1)]


class SavePreset(Answered, frozen=True, kw_only=True):
    """Save the settings of voices and fusions as a preset."""

    address = "/preset/save"

    name: Name


class LoadPreset(Answered, frozen=True, kw_only=True):
    """Apply a preset and follow changes of its file: fusions, voices, clips, references."""

    address = "/preset/load"
    replies = JOB
    found = answers.LoadedPreset

    name: Name


class ListPresets(Answered, frozen=True, kw_only=True):
    """List all presets."""

    address = "/preset/list"
    replies = (answers.Preset,)


class SaveSession(Answered, frozen=True, kw_only=True):
    """Save clips, references and voices for another night."""

    address = "/session/save"
    found = answers.SavedFile

    name: Annotated[str | None, Argument("title", "a name; default: the session's own")] = None


class LoadSession(Answered, frozen=True, kw_only=True):
    """Go on with a session that was saved; the one in use is saved first."""

    address = "/session/load"

    name: Annotated[str, Argument("title", "one of /session/list")]
    keep: Keep = None


class NewSession(Answered, frozen=True, kw_only=True):
    """Go on with a new, empty session; the one in use is saved first."""

    address = "/session/new"

    name: Annotated[str, Argument("title", "of which there is none")]
    keep: Keep = None


class ListSessions(Answered, frozen=True, kw_only=True):
    """List all sessions."""

    address = "/session/list"
    replies = (answers.Session,)


class PackSession(Answered, frozen=True, kw_only=True):
    """Pack the session with all its sounds into one file, under the folder of renders."""

    address = "/session/pack"
    replies = JOB
    found = answers.SavedFile

    path: Path


class KeepFavourite(Answered, frozen=True, kw_only=True):
    """Keep what a voice plays, the sound itself and all that makes it again.

    Where there is another sound of this name, both are kept, this one under a name like it.
    """

    address = "/favourite/keep"
    found = answers.KeptSound

    name: Name
    voice: Annotated[int | None, Argument("int", "default: the one in focus", 1, MAX_VOICES)] = None


class PlayFavourite(Answered, frozen=True, kw_only=True):
    """Play a favourite, even if its clip, its reference or its model is gone."""

    address = "/favourite/play"
    replies = (answers.Started, answers.Ended)
    due = "heard"

    name: Name
    voice: Annotated[int | None, Argument("int", "default: the one in focus", 1, MAX_VOICES)] = None
    at_beat: AtBeat = None
    quantise: Quantise = None


class ListFavourites(Answered, frozen=True, kw_only=True):
    """List all favourites."""

    address = "/favourite/list"
    replies = (answers.Favourite,)


class FreeFavourite(Answered, frozen=True, kw_only=True):
    """Remove a favourite from the session; its file is kept."""

    address = "/favourite/free"

    name: Name
