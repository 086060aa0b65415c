"""The paper's experiments, with any model (`eutectic paper`): a module for each figure.

Liu and Lian, *Abstract Sound Fusion with Unconditioned Inversion Model*, arXiv 2506.11811.
`reproduce` runs them over a `Study`. Nothing is imported here, as the command line needs only the
names.
"""

from enum import StrEnum


class Figure(StrEnum):
    """The figures, in the order in which they are made; `all` is every one of them."""

    FIG1 = "fig1"
    FIG2 = "fig2"
    FIG3 = "fig3"
    FIG4 = "fig4"
    FIG_A1 = "figA1"
    FIG_C1 = "figC1"
    FIG_D1 = "figD1"
    INVERSIONS = "inversions"
    ALL = "all"
