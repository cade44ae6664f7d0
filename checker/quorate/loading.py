"""From what a user types to specification classes.

A name is a module of the package `quorate_specs` (`two_phase_commit`, or `family.name` where two families have one of that
name), a Python file, or `file.py:Class`. The main class of a module is the one whose name in snake case is the
module's, else the first one defined there; every other public subclass of Spec that is defined in the module is a
variant, by its class name.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import itertools
import linecache
import pkgutil
import re
import sys
import traceback
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from quorate.errors import Location, QuorateError, SpecError, UsageError, unknown
from quorate.files import parted
from quorate.language.declarations import original
from quorate.language.laws import Marked, marked_in
from quorate.language.places import class_location
from quorate.language.spec import Spec
from quorate.language.system import is_of_spec

PACKAGE = "quorate_specs"


@dataclass(frozen=True)
class Family:
    """A family of protocols of the library: its name, what it is about in one line, what to learn from it, and the names that
    load its members, in the order in which a teacher would take them."""

    name: str
    about: str
    lesson: str
    protocols: tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """A specification module: `name` loads it again."""

    name: str
    module: ModuleType
    chosen: str | None = None
    """The class or function that `file.py:name` names."""

    @cached_property
    def classes(self) -> dict[str, type[Spec]]:
        """The public specifications that the module defines, in order; not what one of them is with other bounds. Raises SpecError if two
        have one name: one of them would never be judged."""
        named = [
            (name, value)
            for name, value in vars(self.module).items()
            if issubclass(type(value), type) and issubclass(value, Spec) and value is not Spec
        ]
        for name, value in named:
            if not name.startswith("_"):
                refuse_made(self.module, name, value)
        found = [
            value
            for _, value in named
            if value.__module__ == self.module.__name__ and not value.__name__.startswith("_")
        ]
        classes: dict[str, type[Spec]] = {}
        for cls in found:
            if inspect.isabstract(cls) or original(cls) in classes.values():
                continue
            if classes.setdefault(cls.__name__, cls) is not cls:
                raise SpecError(
                    f"Two specifications of this file are called {cls.__name__}, as those that a function makes. Give each a name of its "
                    f"own: `class Tight(made(2)): pass`.",
                    class_location(cls),
                )
        return classes

    @cached_property
    def marked(self) -> dict[str, Marked]:
        """The functions and methods with laws that are meant: all that the module defines, or the named function, or the
        methods of the named class."""
        meant = {
            name: one
            for name, one in marked_in(self.module).items()
            if self.chosen in (None, name) or name.startswith(f"{self.chosen}.")
        }
        return meant

    @property
    def has_only_laws(self) -> bool:
        """Whether functions are meant, and no specification that could be run."""
        return not self.classes or (self.chosen is not None and self.chosen not in self.classes)

    @property
    def main(self) -> type[Spec]:
        """The class that is meant when no variant is named. Raises UsageError if there are only functions."""
        if self.has_only_laws:
            raise UsageError(f"{self.name} has functions with laws and no runs: use `quorate prove {self.name}`.")
        if self.chosen is not None:
            return self.classes[self.chosen]
        stem = Path(self.module.__file__ or self.module.__name__).stem
        return next(
            (cls for name, cls in self.classes.items() if _snake(name) == stem), next(iter(self.classes.values()))
        )

    @property
    def variants(self) -> dict[str, type[Spec]]:
        """All classes but the main one."""
        return {} if self.has_only_laws else {name: cls for name, cls in self.classes.items() if cls is not self.main}

    @property
    def file(self) -> str:
        """The path of a protocol of the library, seen from the folder of the package."""
        return self.module.__name__.replace(".", "/") + ".py"

    @property
    def about(self) -> str:
        """The first paragraph of what the module says, else of what its main class says."""
        texts = [self.module.__doc__, *([] if self.has_only_laws else [self.main.__doc__])]
        return next((_paragraphs(text)[0] for text in texts if text), "")

    @property
    def promise(self) -> str:
        """To whom it promises what: the first sentence after the word at the head of a paragraph, in the module or else in its
        main class. Empty if neither says so."""
        texts = [self.module.__doc__, *([] if self.has_only_laws else [self.main.__doc__])]
        for paragraph in (each for text in texts if text for each in _paragraphs(text)):
            found = re.match(r"(\*?)Promise\1[:.,]? (.+?\.)(?= [A-Z*`]|$)", paragraph)
            if found:
                return found[2][0].upper() + found[2][1:]
        return ""

    def variant(self, name: str | None) -> type[Spec]:
        """The main class for None, else the variant of this name. Raises UsageError if there is none."""
        if name is None:
            return self.main
        if name == self.main.__name__:
            return self.main
        if name not in self.variants:
            raise unknown(f"variant of {self.name}", name, self.variants)
        return self.variants[name]


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring, each in one line."""
    return [" ".join(part.split()) for part in text.strip().split("\n\n")]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def names() -> list[str]:
    """The names of all protocols of the library, in alphabetical order. Imports none of them."""
    return sorted(_modules())


def families() -> list[Family]:
    """The families of the library in the order of its course. Imports none of the protocols."""
    package = importlib.import_module(PACKAGE)
    members: dict[str, list[str]] = {family: [] for family in package.COURSE}
    for name, module in sorted(_modules().items()):
        members.setdefault(module.removeprefix(f"{PACKAGE}.").rpartition(".")[0], []).append(name)
    return [_family(name, found, package.COURSE.get(name, [])) for name, found in members.items() if found]


def _family(name: str, found: list[str], course: list[str]) -> Family:
    about, _, lesson = inspect.cleandoc(importlib.import_module(f"{PACKAGE}.{name}").__doc__ or "").partition("\n")
    ordered = sorted(found, key=lambda one: course.index(one) if one in course else len(course))
    return Family(name, about, " ".join(lesson.split()), tuple(ordered))


def _modules() -> dict[str, str]:
    """Module names by the short names that users type."""
    package = importlib.import_module(PACKAGE)
    found = [info.name for info in pkgutil.walk_packages(package.__path__, f"{PACKAGE}.") if not info.ispkg]
    public = [name for name in found if not any(part.startswith("_") for part in name.split("."))]
    short: dict[str, str] = {}
    for name in public:
        stem = name.rpartition(".")[2]
        alone = sum(other.rpartition(".")[2] == stem for other in public) == 1
        short[stem if alone else name.removeprefix(f"{PACKAGE}.")] = name
    return short


def _module(name: str) -> str:
    known = _modules()
    module = known.get(name) or {full.removeprefix(f"{PACKAGE}."): full for full in known.values()}.get(name)
    if module is None:
        raise unknown("protocol", name, known)
    return module


def load(name: str) -> Protocol:
    """The protocol that `name` means. Raises UsageError if there is none, SpecError if its file cannot be used."""
    path, chosen = parted(name)
    if path.endswith(".py") or "/" in path:
        protocol = Protocol(name, _from_file(Path(path)), chosen or None)
    else:
        protocol = Protocol(name, _imported(_module(path)), chosen or None)
    if not protocol.classes and not marked_in(protocol.module):
        raise UsageError(f"{path} defines no specification. A specification is a public subclass of `quorate.Spec`.")
    if path != name and protocol.chosen not in protocol.classes and not protocol.marked:
        raise unknown(f"specification in {path}", chosen, protocol.classes)
    refuse_replaced(protocol.module, {*protocol.classes, *marked_in(protocol.module)})
    return protocol


def refuse_replaced(module: ModuleType, names: Collection[str]) -> None:
    """Raises SpecError where one of these names is defined twice at the top of a module's file, or something else takes the name of a
    class, which may have been a specification, or of a function with laws: the first would never be judged."""
    try:
        file = str(module.__file__)
        text = Path(file).read_bytes()
        words = re.findall(rb"(?:\A|[\r\n\f])(?:class|def)[\s\\]+(\w+)", text)
        if text.isascii() and len(words) == len(set(words)):  # As in most files, which need not be parsed for that.
            return
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return  # There is no file, or no longer.
    defined: dict[str, ast.ClassDef | ast.FunctionDef] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            first = defined.setdefault(node.name, node)
            if first is not node and (node.name in names or isinstance(first, ast.ClassDef) or _has_laws(first)):
                line = linecache.getline(file, first.lineno).rstrip()
                raise SpecError(
                    f"{node.name} is defined again in line {node.lineno}, which replaces this one, so that the file would be judged "
                    f"without it: give one of them another name.",
                    Location(file, first.lineno, 0, len(line), line),
                )


def refuse_made(module: ModuleType, name: str, cls: type[Spec]) -> None:
    """Raises SpecError for a specification that a module has had a function of another one make: it would never be judged."""
    if is_made(module, cls):
        raise SpecError(
            f"{name} is made by a function of {cls.__module__}, and is no specification of this file, so that it would never be "
            f"judged: write `class {name}(...): pass`, with what makes it between the brackets.",
            class_location(cls),
        )


def is_made(module: ModuleType, cls: type[Spec]) -> bool:
    """Whether a module has had a function of another one make a class, which that one has not."""
    elsewhere = sys.modules.get(cls.__module__)
    if "<locals>" not in cls.__qualname__ or elsewhere in (None, module):
        return False
    return not any(original(cls) is value for value in vars(elsewhere).values())


def _has_laws(node: ast.FunctionDef) -> bool:
    """Whether @law or @merge is written over a function."""
    parts = [part for decorator in node.decorator_list for part in ast.walk(decorator)]
    words = [part.id if isinstance(part, ast.Name) else getattr(part, "attr", "") for part in parts]
    return "law" in words or "merge" in words


def located(name: str) -> tuple[str, Path]:
    """The module that `name` means, "" for a file that is loaded by its path, and its file. Imports no protocol. Raises UsageError if
    there is none."""
    path = parted(name)[0]
    if path.endswith(".py") or "/" in path:
        return "", Path(path).resolve()
    module = _module(path)
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    return module, Path(spec.origin)


def load_module(path: Path) -> ModuleType:
    """A Python file that is no specification: a map or an adapter beside one. Raises UsageError if there is none, SpecError if it
    cannot be run."""
    return _from_file(path)


def load_named(name: str) -> Protocol:
    """The protocol that a stored trace names. A trace may come from elsewhere, and importing a file runs it: so only protocols of the
    library and files below the working directory are taken. Raises UsageError for others."""
    path = parted(name)[0]
    if (path.endswith(".py") or "/" in path) and not Path(path).resolve().is_relative_to(Path.cwd().resolve()):
        raise UsageError(
            f"The trace names the file {path}, which is not below the working directory. To run that file, which executes the code "
            "in it, name it with --spec."
        )
    return load(name)


def _imported(module: str) -> ModuleType:
    spec = importlib.util.find_spec(module)
    file = spec.origin if spec is not None else None
    try:
        return importlib.import_module(module)
    except QuorateError as error:
        raise _placed(error, file or module) from None
    except BaseException as error:
        if not is_of_spec(error):
            raise
        raise _unusable(file or module, error) from None


class _Fresh(SourceFileLoader):
    """A file as it is now: Python's cache of compiled files knows a text by its length and the second of its last change."""

    read = b""
    """What was loaded."""

    def get_code(self, fullname: str) -> CodeType:
        """Compiled anew."""
        self.read = self.get_data(self.path)
        return self.source_to_code(self.read, self.path)


def _from_file(path: Path) -> ModuleType:
    if not path.exists():
        raise UsageError(
            f"There is no file {path}. Give the name of a protocol (`quorate list` shows them) or of a Python file."
        )
    if not path.is_file():
        raise UsageError(
            f"{path} is a directory. Give the name of a protocol (`quorate list` shows them) or of a Python file."
        )
    if path.suffix != ".py":
        raise UsageError(f"{path} is not a Python file: its name does not end in .py.")
    _refuse_mixture(path)
    if _imports_relatively(path):
        return _from_package(path.resolve())
    file = str(path.resolve())
    name = next(name for name in _names_for(path) if _may_be(name, file))
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file, loader=_Fresh(name, file))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, QuorateError):
            raise _placed(error, file) from None
        if is_of_spec(error):
            raise _unusable(file, error) from None
        raise
    finally:
        sys.path.remove(folder)
    return module


def _names_for(path: Path) -> Iterator[str]:
    """What the module of a file may be called, the nicest first."""
    name = re.sub(r"\W", "_", path.stem)
    yield name
    yield f"quorate_file_{name}"
    yield from (f"quorate_file_{name}_{number}" for number in itertools.count(2))


def _may_be(name: str, file: str) -> bool:
    """Whether a file is loaded as the module of this name, as it is now, or may be: another one, also what the file was before, goes on to
    mean what stands under its name."""
    if name not in sys.modules:
        return importlib.util.find_spec(name) is None
    module = sys.modules[name]
    if getattr(module, "__file__", None) != file:
        return False
    loader = getattr(module, "__loader__", None)
    return not isinstance(loader, _Fresh) or loader.read == Path(file).read_bytes()


def _from_package(path: Path) -> ModuleType:
    """A file that imports its neighbours relatively, as the module of a package that it then is."""
    folders = list(itertools.takewhile(lambda folder: (folder / "__init__.py").is_file(), path.parents))
    if not folders:
        raise UsageError(
            f"{path} imports relatively, but is in no package: put an empty `__init__.py` beside it, or import without the dot."
        )
    top = folders[-1]
    loaded = getattr(sys.modules.get(top.name), "__file__", None)
    if loaded is not None and Path(loaded).resolve() != top / "__init__.py":
        raise UsageError(
            f"{path} is in the package {top.name}, and {loaded} is loaded under that name already: rename one of the two."
        )
    sys.path.insert(0, str(top.parent))
    try:
        return _imported(".".join((*(folder.name for folder in reversed(folders)), path.stem)))
    finally:
        sys.path.remove(str(top.parent))


def _imports_relatively(path: Path) -> bool:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False  # Importing it says what is wrong.
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def _refuse_mixture(path: Path) -> None:
    """Raise UsageError if the file would be given a helper that another folder has under the same name: one is loaded already, and
    Python loads no second module of a name."""
    waiting, seen = [path], set[Path]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue  # Importing it says what is wrong.
        for name in _imported_names(tree):
            here = [path.parent / f"{name}.py", path.parent / name / "__init__.py"]
            waiting += (found := [one for one in here if one.is_file()])
            loaded = getattr(sys.modules.get(name), "__file__", None)
            if found and loaded is not None and Path(loaded).resolve() not in [one.resolve() for one in found]:
                raise UsageError(
                    f"{path} imports {name}, and {loaded} is loaded under that name already: one run can use only one of them. Give "
                    "one of the two files another name, or check what imports them in two runs."
                )


def _imported_names(tree: ast.AST) -> set[str]:
    """The top-level names of the modules that a file imports."""
    nodes = list(ast.walk(tree))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in plain | parts}


def _placed(error: QuorateError, file: str) -> QuorateError:
    """The error with the line of the specification where it came from, if it has none."""
    if isinstance(error, SpecError) and error.location is None:
        return SpecError(error.message, _line(error, file))
    return error


def _unusable(file: str, error: BaseException) -> SpecError:
    if isinstance(error, SyntaxError):
        column = max((error.offset or 1) - 1, 0)
        length = (error.end_offset or 0) - (error.offset or 0) if error.end_lineno == error.lineno else 1
        place = Location(
            error.filename or file, error.lineno or 1, column, max(length, 1), (error.text or "").rstrip("\n")
        )
        return SpecError(f"This is not valid Python: {error.msg}. Correct the line.", place)
    if isinstance(error, UnicodeDecodeError):
        return SpecError(f"{file} is not a text file in UTF-8: {error.reason}.")
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, SystemExit | GeneratorExit):
        return SpecError(
            f"The file ends the program while it is imported ({error!r}), so that nothing would be judged. Put what runs as a "
            'script under `if __name__ == "__main__":`.',
            _line(error, file),
        )
    if isinstance(error, ImportError):
        return SpecError(
            f"The specification cannot be imported. {what}. Install the package or correct the import.",
            _line(error, file),
        )
    return SpecError(f"The specification raises an exception while it is imported. {what}", _line(error, file))


def _line(error: BaseException, file: str) -> Location | None:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if not frames:
        return None
    frame = frames[-1]
    text = linecache.getline(file, frame.lineno or 0).rstrip()
    column, end = frame.colno or 0, frame.end_colno or 0
    one_line = frame.end_lineno == frame.lineno and end > column
    return Location(file, frame.lineno or 0, column, end - column if one_line else max(len(text) - column, 1), text)
