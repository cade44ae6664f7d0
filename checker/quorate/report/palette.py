"""The colours of the pictures, told apart also by colour-blind readers and, by their lightness, in grey print.

Roles take the colours of Okabe & Ito (2008, "Color Universal Design"), without their reds: red is kept for what is
wrong.
"""

from __future__ import annotations

INK = "#1F2933"
SOFT = "#4B5663"
FADED = "#65717E"
FADED_MARK = "#98A4B1"
FADED_LINE = "#B3C0CE"
ZEBRA = "#F4F6F8"
WIRE = "#2B5C94"
BAD = "#C81E1E"
BAD_GROUND = "#FDF2F2"
GOOD = "#00694A"
GOOD_GROUND = "#EFF9F5"
PLAIN_GROUND = "#F4F6F8"
LIFELINE = "#C3CCD8"
TEXTS = (INK, SOFT, FADED, WIRE, BAD, GOOD)
"""Colours of words: on each of the grounds with a contrast of at least 4.5 to 1 (WCAG 2.2, section 1.4.3)."""
GROUNDS = ("#FFFFFF", ZEBRA, BAD_GROUND, GOOD_GROUND, PLAIN_GROUND)


def accent(tone: str) -> str:
    """The colour of what a verdict of this tone rests on: a goal that was reached is nothing bad."""
    return GOOD if tone == "good" else BAD


DARK = {
    "#FFFFFF": "#12171D",
    ZEBRA: "#1B222A",
    BAD_GROUND: "#331A1A",
    GOOD_GROUND: "#14291F",
    INK: "#E8ECF0",
    SOFT: "#B6C0CB",
    FADED: "#98A4B1",
    FADED_MARK: "#6B7885",
    FADED_LINE: "#4C5865",
    WIRE: "#7FB2EC",
    BAD: "#FF7B7B",
    GOOD: "#5FD3A6",
    LIFELINE: "#57636F",
}
"""What each colour becomes for a reader who asks for dark pages; the colours of roles stay."""

ROLES = (LIFELINE, "#E69F00", "#009E73", "#56B4E9", "#8C5A9E", "#0072B2", "#D8C800", "#5B4636")
"""In order of definition, or else of appearance; the first is that of the ordinary role, which most lanes have at first."""
