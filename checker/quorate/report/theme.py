"""The palette as CSS: pages and the pictures in them change between light and dark together."""

from __future__ import annotations

from quorate.report import palette

GROUND = "#FFFFFF"
NAMES = {
    "ground": GROUND,
    "ink": palette.INK,
    "soft": palette.SOFT,
    "faded": palette.FADED,
    "faded-mark": palette.FADED_MARK,
    "line": palette.FADED_LINE,
    "zebra": palette.ZEBRA,
    "wire": palette.WIRE,
    "bad": palette.BAD,
    "bad-ground": palette.BAD_GROUND,
    "good": palette.GOOD,
    "good-ground": palette.GOOD_GROUND,
    "lifeline": palette.LIFELINE,
}
"""What style sheets call the colours of the palette: `var(--ink)`."""


def theme() -> str:
    """The colours as CSS variables, and the rules by which a drawing made of the palette's colours follows them.

    A page is light or dark as the reader's system is, or as `color-scheme` of its root says.
    """
    variables = [f"--{name}: light-dark({colour}, {palette.DARK[colour]});" for name, colour in NAMES.items()]
    rules = [
        f'[{what}="{colour}"] {{ {what}: var(--{name}) }}'
        for name, colour in NAMES.items()
        for what in ("fill", "stroke")
    ]
    return "\n".join([f":root {{ color-scheme: light dark; {' '.join(variables)} }}", *dict.fromkeys(rules)]) + "\n"
