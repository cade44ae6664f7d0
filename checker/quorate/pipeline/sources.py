"""What a verdict depends on, so that it is known when nothing of it has changed.

A specification is made from its file and from what that imports. The files are found by reading import statements, without
running anything, and followed through packages and helpers. Beside these a verdict depends on Quorate itself, on what it
runs on (Python, the compiler, solvers), and on what was asked (the bounds, the engine, the limits).

The rule is to vouch for nothing that is not understood: a file that uses anything but what Quorate has for authors, its library,
files of its own and what of Python computes from its arguments alone (`PURE`, `BUILTINS`, `SPECIAL`), makes `Sources.unknown` say
so, and what depends on it is always checked anew.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib.util
import json
import marshal
import platform
import sys
import sysconfig
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import quorate
from quorate import cc
from quorate.language.loaded import imports, is_installed


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PURE: Mapping[str, frozenset[str]] = {
    module: _names(names)
    for module, names in {
        "__future__": "annotations",
        "abc": "ABC ABCMeta abstractmethod",
        "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
        "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
        "collections.abc": "Callable Collection Container Generator Hashable Iterable Iterator Mapping MutableMapping "
        "MutableSequence MutableSet Reversible Sequence Set Sized",
        "copy": "copy deepcopy replace",
        "dataclasses": "KW_ONLY FrozenInstanceError InitVar asdict astuple dataclass field fields is_dataclass replace",
        "enum": "Enum Flag IntEnum IntFlag StrEnum auto member nonmember unique",
        "fractions": "Fraction",
        "functools": "cache cached_property cmp_to_key lru_cache partial partialmethod reduce total_ordering wraps",
        "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
        "itertools": "accumulate batched chain combinations combinations_with_replacement compress count cycle dropwhile "
        "filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest",
        "math": "ceil comb factorial floor gcd inf isqrt lcm log log2 perm prod sqrt",
        "operator": "add and_ contains eq floordiv ge gt invert itemgetter le lt mod mul ne neg not_ or_ sub truth xor",
        "re": "escape findall fullmatch match search split sub",
        "string": "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation",
        "types": "MappingProxyType SimpleNamespace",
        "typing": "TYPE_CHECKING Annotated Any Callable ClassVar Concatenate Final Generic Iterable Iterator Literal Mapping "
        "NamedTuple NewType Never NoReturn Optional ParamSpec Protocol Self Sequence TypeAlias TypeGuard TypeVar "
        "TypedDict Union assert_never assert_type cast final no_type_check overload override reveal_type "
        "runtime_checkable",
    }.items()
}
"""Modules of Python and what of them may be used: what computes from its arguments alone, and evaluates no text. A module has what it
imports itself, too, which is not among it."""
BUILTINS = _names(
    "Ellipsis NotImplemented abs all any bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate "
    "filter float frozenset int isinstance issubclass iter len list map max min next object ord pow print property range "
    "repr reversed round set slice sorted staticmethod str sum super tuple type zip"
) | {name for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, BaseException)}
"""Python's own names that compute from their arguments alone."""
SPECIAL = _names(
    "__add__ __all__ __bool__ __call__ __class__ __contains__ __debug__ __doc__ __eq__ __ge__ __getitem__ __gt__ __init__ "
    "__init_subclass__ __iter__ __le__ __len__ __lt__ __members__ __name__ __ne__ __new__ __next__ __post_init__ __qualname__ "
    "__repr__ __slots__ __str__ __sub__"
)
"""Names of Python's own making that lead nowhere else, used or defined."""
DOORS = _names("ag_code ag_frame cr_code cr_frame format format_map gi_code gi_frame tb_frame")
"""Attributes without underscores around them that lead to frames and code, or to what a text names."""
DEPENDENCIES = ("networkx", "z3-solver", "cvc5")
GOING_THROUGH = ("all", "any", "dict", "len", "list", "max", "min", "sorted", "sum", "tuple")
"""What Python has to go through something in its order."""
PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True)
class Sources:
    """The files that a specification is made from, by the names of their modules, with their contents. `unknown` says why they may
    not be all that its verdict depends on, "" if they are."""

    files: Mapping[str, tuple[Path, str]]
    unknown: str = ""

    @cached_property
    def digest(self) -> str:
        """A digest of the files, by the names of their modules: wherever the project lies."""
        return digest(sorted((name, text) for name, (_, text) in self.files.items()))

    def is_as_read(self) -> bool:
        """Whether the files are still what was read, and the modules that are loaded under their names come from them."""
        try:
            return all(_text(path) == text and _comes_from(name, path) for name, (path, text) in self.files.items())
        except (OSError, UnicodeDecodeError, SyntaxError):
            return False


MAIN = ""
"""The name, among sources, of a file that is loaded by its path."""


@cache
def sources_of(module: str, file: Path) -> Sources:
    """The sources of a specification: its module, which is `MAIN` for a file that is loaded by its path. Ask before it is loaded."""
    folders = (str(file.parent),) if module == MAIN else ()
    files: dict[str, tuple[Path, str]] = {}
    trees: dict[Path, ast.AST] = {}
    of_python: dict[Path, set[str]] = {}  # The modules of Python that each file imports.
    unknown = ""
    packages = [(parent, _followed(parent, tuple(sys.path))) for parent in _parents(module)]
    waiting = [(module, file), *((parent, found) for parent, found in packages if isinstance(found, Path))]
    while waiting:
        name, path = waiting.pop()
        if name in files:
            continue
        try:
            text = _first_read(path)
            tree = ast.parse(text)
        except (OSError, SyntaxError, ValueError):
            return Sources(files, f"{path.name} cannot be read")
        files[name], trees[path] = (path, text), tree
        if name == MAIN and any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)):
            return Sources(files, f"{path.name} imports relatively")
        named = list(_imports(tree, name, path.stem == "__init__"))
        starred = {one.removesuffix(".*") for one in named if one.endswith(".*")}
        for imported in named:
            found = _followed(imported, (*folders, *sys.path))
            if found is None and imported in PURE:
                of_python.setdefault(path, set()).add(imported)
            if isinstance(found, Path) and is_installed(str(found)) and not _is_own(imported, module):
                found = imported
            if isinstance(found, str):
                unknown = unknown or f"{path.name} imports {found}"
            elif found is not None:
                waiting.append((imported, found))
                if imported in starred and found.name == "__init__.py":  # It may name its modules in `__all__`.
                    inner = [*found.parent.glob("*.py"), *found.parent.glob("*/__init__.py")]
                    waiting += [(".".join((imported, *_dotted(each, found.parent))), each) for each in inner]
    return Sources(files, unknown or next(_outside(trees, of_python), "") or next(_unordered(trees), ""))


def _dotted(file: Path, folder: Path) -> tuple[str, ...]:
    """The names that lead from a package to a module in it."""
    parts = file.relative_to(folder).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _is_own(imported: str, module: str) -> bool:
    """Whether a module is of the library, or of the package that the specification is in."""
    return imported.partition(".")[0] in ("quorate_specs", module.partition(".")[0])


@cache
def _first_read(path: Path) -> str:
    """A file as this process read it first: what is loaded is no older. Bytecode that is not of this text is removed, since Python
    tells texts apart by their length and the second in which they were written."""
    text = _text(path)
    with suppress(OSError, ValueError, EOFError, TypeError, SyntaxError):
        kept = Path(importlib.util.cache_from_source(str(path)))
        if marshal.loads(kept.read_bytes()[16:]) != compile(text, str(path), "exec", dont_inherit=True):
            kept.unlink()
    return text


def _text(path: Path) -> str:
    return importlib.util.decode_source(path.read_bytes())


def _comes_from(name: str, path: Path) -> bool:
    loaded = sys.modules.get(name)
    return loaded is None or (loaded.__file__ is not None and Path(loaded.__file__).resolve() == path.resolve())


def _outside(trees: Mapping[Path, ast.AST], of_python: Mapping[Path, Collection[str]]) -> Iterator[str]:
    """What these files use of which it is not known that it computes from its arguments alone."""
    modules: dict[str, str] = {}  # By the names that any of the files has for them: files import from each other.
    for path, tree in trees.items():
        for name, module in _modules(tree, of_python.get(path, ())):
            if modules.setdefault(name, module) != module:
                yield f"{path.name} uses {name} for another module"
    for path, tree in trees.items():
        waiting = [tree, *_texts(tree)]
        while waiting:
            node = waiting.pop()
            if _is_script(node):
                continue
            asked = _module(node.value, modules) if isinstance(node, ast.Attribute) else ""
            if asked and isinstance(node, ast.Attribute):
                words = [] if node.attr in PURE[asked] else [ast.unparse(node)]
            else:
                waiting += ast.iter_child_nodes(node)
                words = [*_used(node, modules, of_python.get(path, ()))]
            yield from (f"{path.name} uses {word}" for word in words)


def _texts(tree: ast.AST) -> Iterator[ast.AST]:
    """The texts in a file that are expressions, as those of annotations. Names alone lead nowhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                found = ast.parse(node.value.strip(), mode="eval")
                if not isinstance(found.body, ast.Name | ast.Constant):
                    yield found


def _modules(tree: ast.AST, of_python: Collection[str]) -> Iterator[tuple[str, str]]:
    """The names that a file has for modules of Python, each with the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole, top = alias.name, alias.name.partition(".")[0]
                if whole in of_python:
                    yield (alias.asname, whole) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom) and node.module in of_python and not node.level:
            for alias in node.names:
                if f"{node.module}.{alias.name}" in PURE:
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _module(node: ast.AST, modules: Mapping[str, str]) -> str:
    """The module of Python that an expression names, "" if it names none."""
    match node:
        case ast.Name(id=name):
            return modules.get(name, "")
        case ast.Attribute(value=inner, attr=name):
            whole = f"{_module(inner, modules)}.{name}"
            return whole if whole in PURE else ""
    return ""


def _used(node: ast.AST, modules: Mapping[str, str], of_python: Collection[str]) -> Iterator[str]:
    """What a node by itself uses, or defines for Python to use, that may lead outside."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            is_foreign = hasattr(builtins, name) and name not in BUILTINS | SPECIAL
            if name in modules or is_foreign or _is_foreign(name) or name == "__name__":
                yield name
        case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            if _is_foreign(name):
                yield name
        case ast.Attribute(attr=name):
            if name in modules or name in DOORS or _is_foreign(name):
                yield name
        case ast.MatchClass(kwd_attrs=names):
            yield from (name for name in names if name in modules or name in DOORS or _is_foreign(name))
        case ast.Import(names=names):
            yield from (alias.name for alias in names if alias.name.partition(".")[0] == "quorate")
        case ast.ImportFrom(module=module, names=names, level=level):
            for name in (alias.name for alias in names):
                if level == 0 and module is not None and module.partition(".")[0] == "quorate":
                    known = module == "quorate" and name in (*quorate.__all__, "*")
                elif level == 0 and module is not None and module in of_python:
                    known = name in PURE[module] or f"{module}.{name}" in PURE
                else:
                    known = name not in modules and not _is_foreign(name)
                if not known:
                    yield f"{module or '.'}.{name}"


def _is_script(node: ast.AST) -> bool:
    """Whether this asks whether the file is run as a script. What else it is called goes by what was loaded before it."""
    match node:
        case ast.Compare(left=ast.Name(id="__name__"), comparators=[ast.Constant(value="__main__")]):
            return True
    return False


def _is_foreign(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in SPECIAL


def _unordered(trees: Mapping[Path, ast.AST]) -> Iterator[str]:
    runs = _runs_while_loading(list(trees.values()))
    for path, tree in trees.items():
        gone_through = set(_gone_through(tree))
        if any(node in runs - gone_through and _is_unordered(node) for node in ast.walk(tree)):
            yield f"{path.name} uses a set while it is loaded, whose order is another one in each process"


def _is_unordered(node: ast.AST) -> bool:
    """Whether this may make a set: a display, what is called `set`, or a view of a map, of which `|` makes one."""
    match node:
        case ast.Set() | ast.SetComp() | ast.Name(id="set" | "frozenset"):
            return True
        case ast.Attribute(attr="keys" | "items" | "KeysView" | "ItemsView"):
            return True
    return False


def _gone_through(tree: ast.AST) -> Iterator[ast.expr]:
    """The `m.keys` and `m.items` of which no more becomes than that they are called and gone through: in the order of the map."""
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=view) | ast.comprehension(iter=view):
                views = [view]
            case ast.Call(func=ast.Name(id=name), args=views) if name in GOING_THROUGH:
                pass
            case _:
                views = []
        yield from (view.func for view in views if isinstance(view, ast.Call) and isinstance(view.func, ast.Attribute))


def _runs_while_loading(trees: list[ast.AST]) -> set[ast.AST]:
    """What of these files may run when they are loaded: what stands outside of functions, and the functions whose names do, or that Python
    calls by itself. The names of types of sets are not among it."""
    functions: dict[str, list[tuple[ast.AST, Mapping[str, str]]]] = {}
    waiting: list[tuple[ast.AST, Mapping[str, str]]] = []
    for tree in trees:
        own: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):  # `@merge` of Quorate is no method of this name.
                own |= {one.asname or one.name: "" if node.module == "quorate" else one.name for one in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.setdefault(node.name, []).extend((one, own) for one in node.body)
        waiting.append((tree, own))
    for name in [name for name in functions if name.startswith("__") and name.endswith("__")]:
        waiting += functions.pop(name)
    found: set[ast.AST] = set()
    while waiting:
        node, names = waiting.pop()
        found.add(node)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                waiting += [(one, names) for one in (*node.decorator_list, node.args)]
            case ast.AnnAssign(annotation=ast.Name(), value=value):
                waiting += [(value, names)] if value is not None else []
            case ast.arg(annotation=ast.Name()):
                pass
            case ast.Subscript(value=ast.Name(id="set" | "frozenset"), slice=inner):
                waiting.append((inner, names))
            case ast.Call(func=ast.Subscript(value=kind)):
                waiting += [(one, names) for one in (kind, *ast.iter_child_nodes(node))]
            case _:
                waiting += [(one, names) for one in ast.iter_child_nodes(node)]
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            waiting += functions.pop(names.get(name, name), [])
    return found


def _imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """The modules that a file may import, each after the packages that it is in."""
    for name in imports(tree, module, is_package):
        yield from (*_parents(name), name)


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


@cache
def _followed(name: str, folders: tuple[str, ...]) -> Path | str | None:
    """The file of a module; None if there is no need to look (or if it is no module but a name in one); or what cannot be
    followed."""
    top, _, rest = name.partition(".")
    if top in ("quorate", "__future__"):
        return None
    found: ModuleSpec | None = None
    where: list[str] | None = list(folders)
    for part in (*_parents(name), name):
        if where is None:
            return None
        found = PathFinder.find_spec(part, where)
        if found is None:
            break
        where = None if found.submodule_search_locations is None else list(found.submodule_search_locations)
    if found is None:
        if rest:
            return None  # A name in the module, which is followed itself.
        return None if top in PURE else top
    if found.origin is None:
        return None  # A folder without a file of its own.
    if _is_of_python(Path(found.origin)):
        return None if top in PURE else name
    return Path(found.origin) if found.origin.endswith(".py") else name


def _is_of_python(file: Path) -> bool:
    return file.is_relative_to(sysconfig.get_path("stdlib")) and not is_installed(str(file))


def digest(*parts: object) -> str:
    """A digest of values that JSON can write, unambiguous."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def _digest_of_quorate(_: object) -> str:
    found = hashlib.sha256()
    for file in _own_files():
        content = file.read_bytes()
        found.update(f"{file.relative_to(PACKAGE)} {len(content)} ".encode() + content)
    return found.hexdigest()


def _own_files() -> list[Path]:
    return sorted(file for file in PACKAGE.rglob("*") if file.suffix in (".py", ".c", ".h"))


def digest_of_quorate() -> str:
    """A digest of Quorate's own sources, as they are now."""
    return _digest_of_quorate(tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in _own_files()))


LOADED = digest_of_quorate()
"""The digest when this module was loaded, which is what runs."""


@cache
def surroundings() -> Mapping[str, str]:
    """What runs the checks: Quorate, Python, packages, the compiler."""
    found = {"quorate": LOADED, "python": sys.version, "implementation": platform.python_implementation()}
    found["optimize"] = str(sys.flags.optimize)
    for name in DEPENDENCIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    try:
        found["compiler"] = cc.find().identity
    except cc.NoCompiler:
        found["compiler"] = ""
    return found


def key(sources: Sources, asked: object) -> str | None:
    """What stands for everything that a verdict depends on: two checks with one key have one verdict. `asked` is what was to be
    checked, and how. None if it is not known what the verdict depends on."""
    if sources.unknown:
        return None
    return digest(dict(surroundings()), sources.digest, asked)


def is_current(sources: Sources) -> bool:
    """Whether a check that ran in this process has run on what its key says: nothing was changed meanwhile."""
    return sources.is_as_read() and digest_of_quorate() == LOADED


@dataclass(frozen=True)
class Piece:
    """A part of a file: a short digest of its text, and the line where it begins."""

    digest: str
    line: int


@cache
def pieces(text: str) -> Mapping[str, Piece]:
    """The parts of a file by name: functions, methods, classes without these, and the rest of the file as `(file)`. Comments on lines
    of their own, docstrings and empty lines do not count."""
    tree = ast.parse(text)
    kept = {
        number: line.rstrip()
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip() and not line.lstrip().startswith("#")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            _take(kept, node.body[0].lineno, node.body[0].end_lineno)
    found: dict[str, Piece] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef):
                continue
            name = prefix + node.name
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{name}.")
            begin = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            before = found[name].digest if name in found else ""  # Defined twice.
            found[name] = Piece(digest(before, _take(kept, begin, node.end_lineno))[:8], node.lineno)

    visit(tree.body, "")
    found["(file)"] = Piece(digest(list(kept.values()))[:8], 1)
    return found


def _take(lines: dict[int, str], first: int, last: int | None) -> list[str]:
    """Take lines out, and return them."""
    return [lines.pop(number) for number in range(first, (last or first) + 1) if number in lines]
