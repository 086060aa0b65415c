"""What respondents are asked: the questions and the scales they are answered on.

Likeness of the fusion to each source and its overall rating follow the paper's 4.3.2 and
Fig. 6; musical engagement follows Fig. 5. The paper names the categories "professional and
vocational practitioners" and "frequently participating in music activities" alone; the others
are ours, and so is the question about the listening device.
"""

from __future__ import annotations

import msgspec

from eutectic.listening_test.sets import Role

LIKE_A, LIKE_B, OVERALL, COMMENT = "like_a", "like_b", "overall", "comment"
ENGAGEMENT, DEVICE = "engagement", "device"
LIKE: dict[Role, str] = {"original": "like_original", "reference": "like_reference"}
"""What likeness to A and to B is kept as, once it is known which they are."""

ENGAGEMENTS = {
    "professional": "Music or sound is my profession or my training",
    "frequent": "I often take part in music, not as a profession",
    "occasional": "I take part in music now and then",
    "listener": "I listen to music, and don't make any",
    "rare": "I seldom listen to music",
}
DEVICES = {
    "headphones": "Headphones",
    "earphones": "Earphones",
    "loudspeakers": "Loudspeakers",
    "built-in": "The speaker of a phone, tablet or laptop",
}
LIKENESS = ("not at all", "a little", "somewhat", "very much", "almost the same")
RATING = ("bad", "poor", "fair", "good", "excellent")
"""From 1 to 5, as every scale here; the words of ratings are those of ITU-R BS.1284."""

COMMENT_CHARACTERS = 1000


class Question(msgspec.Struct, frozen=True):
    """One question; exactly one of `choices`, `scale` and `characters` is there."""

    name: str
    text: str
    choices: dict[str, str] = {}
    scale: tuple[str, ...] = ()
    characters: int = 0

    def takes(self, value: int | str) -> bool:
        """Whether the value answers it."""
        if self.scale:
            return isinstance(value, int) and 1 <= value <= len(self.scale)
        if self.choices:
            return value in self.choices
        return isinstance(value, str) and len(value) <= self.characters

    def wants(self) -> str:
        """What answers it, for whoever gave something else."""
        if self.scale:
            return f"a whole number from 1 to {len(self.scale)}"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        return f"a text of at most {self.characters} characters"


ABOUT_RESPONDENT = (
    Question(ENGAGEMENT, "How much do you have to do with music?", choices=ENGAGEMENTS),
    Question(DEVICE, "What are you listening with?", choices=DEVICES),
)
ABOUT_SET = (
    Question(LIKE_A, "How much is the sound like A?", scale=LIKENESS),
    Question(LIKE_B, "How much is the sound like B?", scale=LIKENESS),
    Question(OVERALL, "The sound was made as a fusion of A and B. How good is it?", scale=RATING),
    Question(COMMENT, "Anything you noticed? (optional)", characters=COMMENT_CHARACTERS),
)
