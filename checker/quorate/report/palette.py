"""The colours of the pictures, told apart also by colour-blind readers and, by their lightness, in grey print.

Roles take the colours of Okabe & Ito (2008, "Color Universal Design"), without their reds: red is kept for what is
wrong.
"""

from __future__ import annotations

INK = "#1F2933"
SOFT = "#616E7C"
FADED = "#8A97A6"
FADED_LINE = "#B3C0CE"
ZEBRA = "#F4F6F8"
WIRE = "#2B5C94"
BAD = "#C81E1E"
BAD_GROUND = "#FDF2F2"
GOOD = "#00694A"
GOOD_GROUND = "#EFF9F5"
PLAIN_GROUND = "#F4F6F8"
LIFELINE = "#C3CCD8"

ROLES = (LIFELINE, "#E69F00", "#009E73", "#56B4E9", "#8C5A9E", "#0072B2", "#D8C800", "#5B4636")
"""In order of definition, or else of appearance; the first is that of the ordinary role, which most lanes have at first."""
