"""Exercises: a specification that fails, to be repaired without touching what is asked of it.

An exercise is a file whose docstring has a title and a text; `<name>_answer.py` beside it is an answer. What is asked are the
properties, the methods that they call, the sorts with their sizes, and the variables: these stay, since without them anything would
pass. Actions, methods of their own, configured numbers, new variables and new sorts are the reader's. Then the reference engine
decides: every property holds, and the goals are reached.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quorate.kinds import CONSTRAINT, KINDS

ASKED = frozenset({*KINDS, CONSTRAINT})
"""Decorators of methods that ask something, or bound what is explored."""


@dataclass(frozen=True)
class Exercise:
    """A text with a title, and a specification with an answer."""

    name: str
    title: str
    text: str
    given: str
    answer: str

    @staticmethod
    def of(folder: Path, name: str) -> Exercise:
        """The exercise of this name in a folder."""
        given = (folder / f"{name}.py").read_text(encoding="utf-8")
        title, _, text = (ast.get_docstring(ast.parse(given)) or "").partition("\n")
        answer = (folder / f"{name}_answer.py").read_text(encoding="utf-8")
        return Exercise(name, title.rstrip("."), " ".join(text.split()), given, answer)


ORDER = ("lock", "forks", "quorums", "payments", "fencing", "votes", "commit", "old_terms", "paxos", "counter")
"""The exercises, the easy ones first."""


def exercises(folder: Path) -> list[Exercise]:
    """All exercises, in their order."""
    return [Exercise.of(folder, name) for name in ORDER]


def changed(given: str, text: str) -> str:
    """What of the question a text has changed, in a sentence; "" if nothing. Raises SyntaxError if the text is no Python."""
    asked, found = dict(_asked(ast.parse(given))), dict(_asked(ast.parse(text)))
    for what, node in asked.items():
        if what not in found:
            return f"{what} is part of the question, and it is gone. Put it back."
        if found[what] != node:
            return f"{what} is part of the question. Leave it as it was."
    added = next((what for what in found if what not in asked and what.startswith("@")), "")
    return f"{added} is new: properties and constraints are the question's. Take it out." if added else ""


def _asked(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The parts of a file that are the question, each with its contents."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and _is_spec(node):
            yield f"The class {node.name}", ""
            yield from _of_spec(node)
        elif isinstance(node, ast.ClassDef) and node.bases:
            parts = [*node.bases, *(word.value for word in node.keywords), *_values(node)]
            yield f"The sort {node.name}", " ".join(map(ast.dump, parts))


def _is_spec(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Spec" for base in node.bases)


def _values(node: ast.ClassDef) -> list[ast.expr]:
    """The members of an Enum."""
    return [statement.value for statement in node.body if isinstance(statement, ast.Assign)]


def _of_spec(spec: ast.ClassDef) -> Iterator[tuple[str, str]]:
    methods = {node.name: node for node in spec.body if isinstance(node, ast.FunctionDef)}
    needed: set[str] = set()
    for name, node in methods.items():
        kinds = ASKED & {_name(decorator) for decorator in node.decorator_list}
        if kinds:
            yield f"@{min(kinds)} {name}", _meaning(node)
            needed |= set(_called(node, methods))
    for name in sorted(needed):
        yield f"The method {name}, which a property calls,", _meaning(methods[name])
    for statement in spec.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) if _root(statement.annotation) != "ClassVar":
                value = ast.dump(statement.value) if statement.value is not None else ""
                yield f"The variable {name}", f"{_root(statement.annotation)} {value}"


def _meaning(node: ast.FunctionDef) -> str:
    """What a method does, without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return " ".join(map(ast.dump, (node.args, *node.decorator_list, *body)))


def _called(node: ast.FunctionDef, methods: dict[str, ast.FunctionDef]) -> Iterator[str]:
    """The methods of the class that one calls, and those that these call."""
    pending, seen = [node], set()
    while pending:
        for part in ast.walk(pending.pop()):
            if isinstance(part, ast.Attribute) and part.attr in methods and part.attr not in seen:
                seen.add(part.attr)
                pending.append(methods[part.attr])
                yield part.attr


def _name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    return (
        decorator.id
        if isinstance(decorator, ast.Name)
        else decorator.attr
        if isinstance(decorator, ast.Attribute)
        else ""
    )


def _root(annotation: ast.expr) -> str:
    """What an annotation is, without what is in brackets: the messages of a network may get fields."""
    return ast.unparse(annotation.value if isinstance(annotation, ast.Subscript) else annotation)
