"""The columns of words beside the lanes: the step's number and action at the left, what it changed at the right.

A row is as high as its words need. Words are runs, one style each, wrapped whole; a run that finds no room is cut, and
its full text appears when the pointer rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from quorate.report.measure import clip, fold, width
from quorate.report.palette import BAD, FADED, INK, SOFT, WIRE, accent
from quorate.report.scene import Text
from quorate.report.story import Shown, Story, beginning, given, in_full
from quorate.report.values import show
from quorate.trace import Json, Step

SIZE, SMALL = 10.5, 10.0
LINE = 15.0
ROOM_MAX = 430.0
ACTION_MAX = 150.0


@dataclass(frozen=True)
class Run:
    """A piece of text in one style."""

    text: str
    colour: str = INK
    bold: bool = False
    italic: bool = False
    size: float = SIZE
    full: str = ""

    @property
    def width(self) -> float:
        """The room it takes."""
        return width(self.text, self.size, self.bold)


Item = tuple[Run, ...]
"""Runs that belong together: `term 0 → 1`."""

RUN_GAP, ITEM_GAP = 5.0, 15.0


@dataclass(frozen=True)
class Cell:
    """The words of one row: lines of items."""

    action: tuple[Run, ...]
    owner: Run
    lines: tuple[tuple[Item, ...], ...]
    number: Run = field(default=Run(""))

    @property
    def height(self) -> float:
        """The room that the words need."""
        return LINE * max(len(self.action), len(self.lines), 1) + 10


def item_width(item: Item) -> float:
    """The room of an item."""
    return sum(run.width for run in item) + RUN_GAP * (len(item) - 1)


def wrap(items: list[Item], room: float) -> tuple[tuple[Item, ...], ...]:
    """Items on lines of at most `room`; one that is wider alone is cut."""
    lines: list[list[Item]] = []
    used = room + 1
    for item in (_cut(item, room) for item in items):
        if used + ITEM_GAP + item_width(item) > room:
            lines.append([])
            used = -ITEM_GAP
        lines[-1].append(item)
        used += ITEM_GAP + item_width(item)
    return tuple(map(tuple, lines))


def _cut(item: Item, room: float) -> Item:
    if item_width(item) <= room:
        return item
    widest = max(item, key=lambda run: run.width)
    share = max(widest.width - (item_width(item) - room), room / len(item) - RUN_GAP)
    shorter = replace(widest, text=clip(widest.text, share, widest.size, widest.bold), full=widest.full or widest.text)
    return _cut(tuple(shorter if run is widest else run for run in item), room)


def place(lines: tuple[tuple[Item, ...], ...], x: float, y: float) -> list[Text]:
    """The texts of lines whose block is centred on the height `y`."""
    texts = []
    top = y - LINE * (len(lines) - 1) / 2
    for number, line in enumerate(lines):
        left = x
        for item in line:
            for run in item:
                texts.append(
                    Text(left, top + LINE * number, run.text, run.size, run.colour, run.bold, run.italic, full=run.full)
                )
                left += run.width + RUN_GAP
            left += ITEM_GAP - RUN_GAP
    return texts


def step_items(story: Story, step: Step, room: float) -> list[Item]:
    """What a step changed, and what else is to be said of it."""
    dark = story.dark(step.index)
    items: list[Item] = []
    for abstract in (False, True):
        if abstract and (above := story.above(step)) is not None:
            items.append((Run(above, BAD if story.strays(step) else SOFT, story.strays(step), italic=True),))
        whole = story.changes(step, abstract=abstract)
        for short, full in zip(story.changes(step, VALUE_MAX, abstract), whole, strict=True):
            items += _folded(_change_item(short, full, dark, accent(story.headline.tone)), room)
    remarks: list[Item] = [
        (Run(remark, FADED if story.lane_of(step) is None or not dark else SOFT, italic=True),)
        for remark in story.remarks(step)
    ]
    return remarks + items


VALUE_MAX = 240
"""Characters of a value that are shown."""


def _folded(item: Item, room: float) -> list[Item]:
    """A change on as many lines as it needs: a value that is cut would look like another."""
    if item_width(item) <= room:
        return [item]
    *head, last = item
    lines = fold(last.text, room, last.size, last.bold)
    shown = _limited(lines, MESSAGE_LINES, room, last.size, last.bold)
    full = last.full or (last.text if len(lines) > MESSAGE_LINES else "")
    return [tuple(head), *((replace(last, text=line, full=full),) for line in shown)]


def _change_item(short: Shown, full: Shown, dark: bool, strong: str) -> Item:
    colour = strong if short.stressed else INK if dark else FADED
    place_name = f"{short.lane}.{short.place}" if short.lane else short.place
    old, new = short.difference.old, short.difference.new
    runs = [Run(place_name, INK if dark else FADED)]
    if old is not None and new is not None:
        runs.append(Run(f"{old} →", FADED, full="" if old == full.difference.old else full.difference.old or ""))
    elif new is not None:
        runs.append(Run("+", FADED))
    if new is not None:
        whole = full.difference.new or ""
        runs.append(Run(new, colour, dark or short.stressed, full="" if new == whole else whole))
    else:
        runs.append(Run(f"without {old}", FADED, full=full.difference.old or ""))
    return tuple(runs)


def listed_message(names: str, payload: str, dark: bool) -> Item:
    """A message whose label on the wire had to be short."""
    return Run(names, WIRE if dark else FADED, dark, size=SMALL), Run(payload, SOFT, size=SMALL)


def step_cell(story: Story, step: Step, room: float, messages: list[Item]) -> Cell:
    """All words of a step's row. `messages` are the lines on the messages that it sends."""
    lane = story.lane_of(step)
    return replace(
        action_cell(story, step),
        owner=Run(lane or step.lane or "net", _colour(story, step), lane is not None),
        lines=wrap(step_items(story, step, room), room)
        + tuple((line,) for item in messages for line in _over_lines(item, room)),
    )


def action_cell(story: Story, step: Step) -> Cell:
    """A step's number, its action, and the arguments that the picture does not show."""
    colour, lane = _colour(story, step), story.lane_of(step)
    given = ", ".join(f"{name} {show(value, 40)}" for name, value in story.arguments(step).items())
    action = [
        line.replace("_ ", "_")
        for line in _limited(fold(step.action.replace("_", "_ "), ACTION_MAX, SIZE, True), 2, ACTION_MAX, SIZE, True)
    ]
    arguments = _limited(fold(given, ACTION_MAX, SMALL), 2, ACTION_MAX, SMALL)
    return Cell(
        tuple(
            [Run(line, colour, lane is not None, full=step.action if len(action) > 1 else "") for line in action]
            + [Run(line, FADED, size=SMALL, full=given if line.endswith("…") else "") for line in arguments]
        ),
        Run(""),
        (),
        Run(str(story.number(step)), FADED),
    )


def _colour(story: Story, step: Step) -> str:
    """Of a step's words."""
    return INK if story.dark(step.index) and (story.lane_of(step) is not None or step.changes) else FADED


MESSAGE_LINES = 4


def _over_lines(item: Item, room: float) -> list[Item]:
    """A listed message on as many lines as it needs: what is cut would look like another message."""
    name, payload = item
    lines = fold(payload.text, room - name.width - RUN_GAP, SMALL) or [""]
    shown = _limited(lines, MESSAGE_LINES, room - name.width - RUN_GAP, SMALL)
    full = payload.text if len(lines) > MESSAGE_LINES else ""
    first = (name, replace(payload, text=shown[0], full=full))
    return [first, *((replace(payload, text="   " + line, full=full),) for line in shown[1:])]


def initial_cell(story: Story, room: float) -> Cell:
    """The row of the first state: how it was chosen, and, where no step follows or it is hypothetical, what it is."""
    chosen = ", ".join(f"{name} {show(value, 40)}" for name, value in story.trace.initial_arguments.items())
    lines: tuple[tuple[Item, ...], ...] = ()
    if in_full(story.trace):
        lines = wrap(
            [_value_item(name, value) for name, value in story.trace.initial.items() if name not in story.hidden], room
        )
    else:
        for whose, values in given(story.trace, story.hidden).items():
            head: list[Item] = [(Run(whose, INK, True),)] if whose else []
            lines += wrap(head + [_value_item(name, value) for name, value in values], room)
    return Cell(
        (
            Run(f"after step {story.offset}" if story.offset else beginning(story.trace), SOFT),
            *(Run(line, FADED, size=SMALL) for line in _limited(fold(chosen, ACTION_MAX, SMALL), 2, ACTION_MAX, SMALL)),
        ),
        Run(""),
        lines,
        Run(str(story.offset), FADED),
    )


def _value_item(name: str, value: Json) -> Item:
    whole = show(value)
    return Run(name), Run(show(value, 48), INK, True, full=whole if len(whole) > 48 else "")


def _limited(lines: list[str], count: int, room: float, size: float, bold: bool = False) -> list[str]:
    if len(lines) <= count:
        return lines
    last = clip(lines[count - 1] + lines[count], room - width("…", size, bold), size, bold)
    return [*lines[: count - 1], last.rstrip("…") + "…"]
