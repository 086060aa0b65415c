"""How good a model is, measured part by part (`eutectic bench --part`), on held-out recordings.

`parts` runs them; each part is a module of its own, over the measures of `measures` and the
test sounds of `probes`. Nothing is imported here: the command line takes only the names.
"""

from enum import StrEnum


class Part(StrEnum):
    """What can be measured, in the order in which it is run; `all` is every other."""

    CODEC = "codec"
    DENOISING = "denoising"
    PROMPTS = "prompts"
    LEARNING = "learning"
    WINDOW = "window"
    SPEED = "speed"
    ALL = "all"
