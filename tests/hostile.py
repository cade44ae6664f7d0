"""What nobody would write: names that mean something to Python, to C, to a solver or to the lowering, and variables of unusual types.

`VARIABLES` has records, tuples, optionals and containers as keys and elements, unions of all kinds, and containers that are full at once.
`renamed` gives a drawn spec hostile names.
"""

from __future__ import annotations

import ast
from random import Random

from quorate import Spec

HEADER = """

class Client(Scalarset, size=2):
    pass


class Debt(Int, min={least}, max={most}):
    pass


class One(Nat, max=1):
    pass


@record
class Spot:
    rank: Rank
    free: bool = False


@record
class Holder:
    members: frozenset[Node]
    levels: tuple[Level, Level | None]
"""
VARIABLES = {
    "debt": "Debt",
    "owing": "Debt | None",
    "table": "dict[Level, Level]",
    "debts": "dict[Debt, bool]",
    "keyed": "dict[tuple[bool, Node | None], Level]",
    "spots": "dict[Spot, Level]",
    "nested": "dict[Rank, dict[Color, Level]]",
    "groups": "set[frozenset[Node]]",
    "logged": "set[Annotated[list[Level], up_to(One)]]",
    "sets": "Annotated[list[set[Node]], up_to(Size)]",
    "mixed": "Annotated[list[Ack | None], up_to(Size)]",
    "tight": "Annotated[list[Color], up_to(One)]",
    "few": "set[tuple[Node, Level]]",
    "maybe": "set[Node | None]",
    "any": "Note | Ack | None",
    "pick": "Level | Color | None",
    "who": "Node | Rank | None",
    "holder": "Holder | None",
    "box": "tuple[Level, Node | None]",
    "owed": "dict[Node, set[Node]]",
    "owned": "dict[Client, Node | None]",
}
BOUNDS = {"few": 1}

RENAMED = 0.8
"""The share of names that are replaced."""
_TEXT = """
way parts pair key element condition message x_2 value_2 key_2 n_2 i1 t1 n1 x_in in_x old_1 state_1 args group emit next index
size bound state states word status result leave disabled done trap trapped from_ to double static register restrict signed void
typeof asm inline auto volatile sizeof struct union switch case default goto NULL NONE main errno stdin unix linux State
Successors MODEL_WORDS UNLIKELY INT64_MAX memcpy uint64_t bool_ true_ true false And Or Not If Int_ Bool Select Store ForAll
Exists Array Function Const ite exists forall distinct select store let data types copy clear add pop keys values items send this
me cls new prime é ß μ_1 名 O0 l1 l O I
"""
WORDS = _TEXT.split()
MEMBERS = (
    "len",
    "max",
    "min",
    "sum",
    "sorted",
    "abs",
    "range",
    "id",
    "isinstance",
    "require",
    "the",
    "replace",
    "all",
    "hash",
)
"""Functions of Python and of the language: a member or a field may have such a name, where a local would hide the function."""
LOCALS = ("value", "name", "int", "_", "_x", "__", "self_", "list", "type", "id")
SELVES = ("self", "this", "me", "cls", "state", "s", "_", "x", "other", "old", "draft")
FIXED = {"bounds", "client", "returned", "write", "value", "Drawn", "Base"}


def renamed(source: str, random: Random) -> str:
    """The same spec under other names: of variables, methods and constants, of fields, members of enums, functions, classes and
    locals. An attribute and a local may have one name."""
    tree = ast.parse(source)
    _Renaming(tree, random).visit(tree)
    return f"{ast.unparse(ast.fix_missing_locations(tree))}\n"


class _Renaming(ast.NodeTransformer):
    def __init__(self, tree: ast.Module, random: Random) -> None:
        self._random = random
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        bodies = [part for node in classes for part in node.body]
        members = {_target(part) for part in bodies} - {""}
        fixed = FIXED | ({"source", "target"} if "Channels[" in ast.unparse(tree) else set())
        top = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        local = {
            part.arg if isinstance(part, ast.arg) else part.id
            for node in functions
            for part in ast.walk(node)
            if isinstance(part, ast.arg) or (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
        } - {"self"}
        used = {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}
        self._top = self._drawn(top - fixed, set(WORDS) - used - top)
        self._members = self._drawn(
            members - fixed, {*WORDS, *MEMBERS} - members - top - set(dir(Spec)) - {*self._top.values()}
        )
        self._locals = self._drawn(local, {*WORDS, *LOCALS} - used - top - {*self._top.values()})
        self._selves = set(SELVES) - used - {*self._top.values()}
        self._functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._self = "self"

    def _drawn(self, names: set[str], words: set[str]) -> dict[str, str]:
        chosen = self._random.sample(sorted(words), min(len(names), len(words)))
        return {
            name: word for name, word in zip(sorted(names), chosen, strict=False) if self._random.random() < RENAMED
        }

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._top.get(node.name, node.name)
        targets = [
            part.target if isinstance(part, ast.AnnAssign) else part.targets[0]
            for part in node.body
            if isinstance(part, ast.AnnAssign | ast.Assign)
        ]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        for part in node.body:
            if isinstance(part, ast.Assign) and _target(part) == "bounds":
                self._strings(part, self._members)
        self.generic_visit(node)
        for target, name in zip(targets, names, strict=True):
            assert isinstance(target, ast.Name)
            target.id = self._members.get(name, name)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        names = self._members if node.args.args and node.args.args[0].arg == "self" else self._top
        node.name = names.get(node.name, node.name)
        inside = {
            self._locals.get(name, name)
            for part in ast.walk(node)
            for name in ([part.arg] if isinstance(part, ast.arg) else [part.id] if isinstance(part, ast.Name) else [])
        }
        self._self = self._random.choice(sorted(self._selves - inside) or ["self"])
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._self if node.arg == "self" else self._locals.get(node.arg, node.arg)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._self if node.id == "self" else self._top.get(node.id) or self._locals.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self._members.get(node.attr, node.attr)
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        for keyword in node.keywords:
            if called == "action":
                self._strings(keyword, self._members if keyword.arg == "fair_if" else self._locals)
            elif keyword.arg is not None:
                names = self._locals if called in self._functions else self._members
                keyword.arg = names.get(keyword.arg, keyword.arg)
        self.generic_visit(node)
        return node

    @staticmethod
    def _strings(node: ast.AST, names: dict[str, str]) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                part.value = names.get(part.value, part.value)


def _target(node: ast.stmt) -> str:
    """The member that a line of a class defines."""
    match node:
        case ast.FunctionDef(name=name):
            return name
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return ""
