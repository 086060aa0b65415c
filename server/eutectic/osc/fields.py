"""Arguments that several messages have."""

from typing import Annotated

from eutectic.config import MAX_VOICES
from eutectic.osc.spec import LARGEST_INT, Argument, Press

Id = Annotated[int, Argument("int", "the request's number, chosen by the client", 0, LARGEST_INT)]
Voice = Annotated[int, Argument("int", "from 1", 1, MAX_VOICES)]
VoiceOrFocus = Annotated[int, Argument("int", "from 1; 0: the one in focus", 0, MAX_VOICES)]
Clip = Annotated[str, Argument("name", "a clip's number or word")]
Reference = Annotated[str, Argument("name", "a reference's number or word")]
Original = Annotated[str, Argument("name", "the clip whose timing is kept")]
Name = Annotated[str, Argument("name", "a short word")]
Path = Annotated[str, Argument("path", "relative to the folder of clips or of renders")]
Text = Annotated[str, Argument("text")]
Pressed = Annotated[
    int | None, Press("int", "0 (a button's release): nothing; all else, or none, acts", 0, 1)
]
