"""The questions that respondents are asked, and their scales.

The fusion's likeness to each source and its overall rating follow the paper's 4.3.2 and Fig. 6;
musical engagement follows Fig. 5. The paper names only the categories "professional and vocational
practitioners" and "frequently participating in music activities"; the others are ours, and so is
the question about the listening device.
"""

from __future__ import annotations

import msgspec

from eutectic.listening_test.sets import Role

LIKE_A, LIKE_B, OVERALL, COMMENT = "like_a", "like_b", "overall", "comment"
ENGAGEMENT, DEVICE = "engagement", "device"
LIKE: dict[Role, str] = {"original": "like_original", "reference": "like_reference"}
"""The names under which likeness to A and to B is stored, by the source each one is."""

ENGAGEMENTS = {
    "professional": "I work in music or sound, or trained for it professionally",
    "frequent": "I often make music, but not as a profession",
    "occasional": "I make music now and then",
    "listener": "I listen to music, but don't make any",
    "rare": "I rarely listen to music",
}
DEVICES = {
    "headphones": "Headphones",
    "earphones": "Earphones",
    "loudspeakers": "Loudspeakers",
    "built-in": "The built-in speakers of a phone, tablet or laptop",
}
LIKENESS = ("not at all", "a little", "somewhat", "very much", "almost the same")
RATING = ("bad", "poor", "fair", "good", "excellent")
"""From 1 to 5, like every scale here; the ratings' words are those of ITU-R BS.1284."""

COMMENT_CHARACTERS = 1000


class Question(msgspec.Struct, frozen=True):
    """One question, with exactly one of `choices`, `scale` and `characters`."""

    name: str
    text: str
    choices: dict[str, str] = {}
    scale: tuple[str, ...] = ()
    characters: int = 0

    def takes(self, value: int | str) -> bool:
        """Whether a value is a valid answer."""
        if self.scale:
            return isinstance(value, int) and 1 <= value <= len(self.scale)
        if self.choices:
            return value in self.choices
        return isinstance(value, str) and len(value) <= self.characters

    def expected(self) -> str:
        """What a valid answer is, for an error message."""
        if self.scale:
            return f"a whole number from 1 to {len(self.scale)}"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        return f"a text of at most {self.characters} characters"


ABOUT_RESPONDENT = (
    Question(ENGAGEMENT, "How involved are you in music?", choices=ENGAGEMENTS),
    Question(DEVICE, "What are you listening with?", choices=DEVICES),
)
ABOUT_SET = (
    Question(LIKE_A, "How similar is the sound to A?", scale=LIKENESS),
    Question(LIKE_B, "How similar is the sound to B?", scale=LIKENESS),
    Question(OVERALL, "The sound was made as a fusion of A and B. How good is it?", scale=RATING),
    Question(COMMENT, "Did you notice anything? (optional)", characters=COMMENT_CHARACTERS),
)
