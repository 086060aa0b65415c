"""The quality of a model, measured part by part (`eutectic bench --part`) on held-out recordings.

Each part is a module, based on the measures in `measures` and the test sounds in `probes`; `bench`
runs them. Nothing is imported here, as the command line needs only the names.
"""

from enum import StrEnum


class Part(StrEnum):
    """The parts, in the order in which they run; `all` is every one of them."""

    CODEC = "codec"
    DENOISING = "denoising"
    PROMPTS = "prompts"
    LEARNING = "learning"
    WINDOW = "window"
    EAR = "ear"
    PRESETS = "presets"
    SPEED = "speed"
    THROUGHPUT = "throughput"
    SCALING = "scaling"
    ALL = "all"
