"""The machine's C compiler, and a cache of what it built.

`load` turns C sources into a loaded shared object, `built` those that have a unit in common with others. Building takes from a
tenth of a second to a few seconds, so objects are kept in the user's cache directory (`$XDG_CACHE_HOME/quorate/objects`, or
`~/.cache/quorate/objects`), one folder for each key. The key is a digest of everything the object depends on: the compiler (its command,
file, size and time of change), the machine (`-march=native` makes objects that other processors cannot run), the flags
(those of `$CFLAGS` come last and win), and the sources.

A unit that several libraries have in common is compiled by itself and kept likewise; what is not kept is compiled at the same time.

An object's file name is the digest of its own content. That one rule gives the cache its guarantees:

- a partial, truncated or damaged file does not match its name, is removed, and is built again;
- concurrent builders each write a private file and rename it into place, so that a reader sees no object or a whole
  one, and two builders of the same object do no harm to each other;
- nobody else can put an object there: a directory that is not the user's own, or that others may write to, or that lies in one where
  others may replace it, is not used, and neither is such a file. Objects then go to a private temporary directory of this process;
- a cache that cannot be written (a read-only home, a full disk) costs time only: the object is then loaded from the
  temporary directory it was built in.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from quorate.errors import QuorateError

BASE_FLAGS = ("-std=c11", "-O2", "-fPIC", "-fno-semantic-interposition")
SHOWN_LINES = 12
TIMEOUT_S = 300.0
"""A compiler that takes longer is taken to hang: the largest models take seconds."""
ENTRIES_MAX = 2048
"""Of some 100 KB each: the library with its variants, several bounds and projects of one's own."""
STALE_PARTIAL_S = 3600.0
PARTIAL = ".partial-"


class NoCompiler(QuorateError):
    """No C compiler is on this machine, or `$CC` names one that cannot be run."""


class CompileFailed(QuorateError):
    """The compiler refused the sources, or was ended, or there was nowhere to write to. The message shows what was said."""


Began = Callable[["subprocess.Popen[str]"], None]
"""Told of each process that compiles."""


@dataclass(frozen=True)
class Library:
    """What is compiled. `sources` are texts by the names of their files; every `*.c` is a unit, the rest are headers. `name` is for
    people: it names the object in messages and in debuggers. `flags` follow our own (C11, -O2), and `$CFLAGS` follow those, so they win.
    `common` is a unit that other libraries have, too, and `own` are flags of the other units; they are given only with `common`."""

    name: str
    sources: Mapping[str, str]
    flags: tuple[str, ...] = ()
    common: str | None = None
    own: tuple[str, ...] = ()

    @property
    def units(self) -> list[str]:
        """The files that are compiled."""
        return [file for file in self.sources if file.endswith(".c")]

    def flags_of(self, unit: str) -> list[str]:
        """The flags of a unit."""
        return [*self.flags, *([] if unit == self.common else self.own), *_words("CFLAGS")]


@dataclass(frozen=True)
class Compiler:
    """A C compiler: the `command` that starts it and the `identity` that tells two builds of it apart."""

    command: tuple[str, ...]
    identity: str

    def build(self, units: Sequence[str], library: Library, folder: Path, began: Began) -> Path:
        """The shared object of these units, which `folder` has, with what they include; an object among them is linked as it is. Several
        are compiled at the same time. Raises `CompileFailed`."""
        name, flags = library.name, [*library.flags, *_words("CFLAGS")]
        if len(units) == 1:
            commands: list[tuple[str, list[str]]] = []
            parts = list(units)
        else:
            parts = [str(Path(unit).with_suffix(".o")) for unit in units]
            commands = [
                (part, ["-c", "-o", part, unit, *library.flags_of(unit)])
                for part, unit in zip(parts, units, strict=True)
                if part != unit
            ]
        self._all(name, commands, folder, began)
        target = f"{name}.so"
        self._all(name, [(target, ["-shared", "-o", target, *parts, *flags])], folder, began)
        return folder / target

    def _all(self, name: str, wanted: Sequence[tuple[str, Sequence[str]]], folder: Path, began: Began) -> None:
        """Make these files at the same time, each by the compiler with these arguments."""
        commands = [[*self.command, *BASE_FLAGS, *arguments] for _, arguments in wanted]
        for (file, _), command, (ended, said) in zip(wanted, commands, self._run(commands, folder, began), strict=True):
            if ended is None and (folder / file).exists():
                continue
            lines = said.strip().splitlines() or ["(it said nothing)"]
            shown = "\n".join(f"    {line}" for line in lines[:SHOWN_LINES])
            rest = f"\n    ... and {len(lines) - SHOWN_LINES} more lines" if len(lines) > SHOWN_LINES else ""
            raise CompileFailed(
                f"The C compiler could not build {name!r} ({ended or 'it wrote no object'}).\n"
                f"    {shlex.join(command)}\n{shown}{rest}\n"
                "Set $CC to another C11 compiler, or use `--engine reference`, which needs none."
            )

    def _run(self, commands: Sequence[Sequence[str]], folder: Path, began: Began) -> list[tuple[str | None, str]]:
        """How each ended, None if well, and what it said.

        They run in sessions of their own: Ctrl-C is for us to handle, and a compiler that hangs is ended with all the
        processes it has started."""
        running: list[subprocess.Popen[str]] = []
        try:
            for command in commands:
                running.append(_started(command, folder))
                began(running[-1])
            said = [process.communicate(timeout=TIMEOUT_S)[0] for process in running]
        except BaseException as reason:
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            if isinstance(reason, subprocess.TimeoutExpired):
                return [(f"it had not ended after {TIMEOUT_S:g} s", "")] * len(commands)
            raise
        return [(_ending(process.returncode), text) for process, text in zip(running, said, strict=True)]


def _started(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as failure:
        raise NoCompiler(f"The C compiler {command[0]!r} cannot be run: {failure.strerror}.") from None


def _ending(code: int) -> str | None:
    """How a compiler ended, None if well."""
    return None if code == 0 else f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"


def find() -> Compiler:
    """The first of `$CC`, `cc`, `gcc`, `clang` and the `ziglang` wheel that is here. Raises `NoCompiler`."""
    if sys.platform == "win32":
        raise NoCompiler(
            "The C parts need Linux or macOS; under Windows use the Windows Subsystem for Linux for speed."
        )
    wanted = _words("CC")
    if wanted:
        path = shutil.which(wanted[0])
        if path is None:
            raise NoCompiler(f"$CC is {os.environ['CC']!r}, but there is no program {wanted[0]!r}.")
        return _identified((path, *wanted[1:]), path)
    for program in ("cc", "gcc", "clang"):
        path = shutil.which(program)
        if path is not None:
            return _identified((path,), path)
    wheel = find_spec("ziglang")
    if wheel is not None and wheel.origin is not None:
        return _identified((sys.executable, "-m", "ziglang", "cc"), wheel.origin)
    raise NoCompiler(
        "There is no C compiler on this machine (looked for $CC, cc, gcc, clang and the Python package ziglang). "
        "Install one, for example with `pip install quorate[compiler]`."
    )


def _words(variable: str) -> list[str]:
    try:
        return shlex.split(os.environ.get(variable, ""))
    except ValueError as error:
        raise NoCompiler(f"${variable} is {os.environ[variable]!r}, which no shell could read: {error}.") from None


def is_told_how_well() -> bool:
    """Whether `$CFLAGS` say how much is optimized."""
    return any(word.startswith("-O") for word in _words("CFLAGS"))


def load(name: str, sources: Mapping[str, str], flags: Sequence[str] = ()) -> ctypes.CDLL:
    """Compile and load a library of its own. Objects come from the cache when it has them. Raises `NoCompiler` and `CompileFailed`."""
    return built(Library(name, sources, tuple(flags)))


def built(library: Library, began: Began = lambda _: None, alone: bool = False) -> ctypes.CDLL:
    """Compile and load a library, or take it from the cache. What is loaded `alone` has variables of its own: the system gives all who
    load one file the same. Raises `NoCompiler` and `CompileFailed`."""
    compiler, directory, entry = _place(library)
    cached = _take(entry)
    if cached is not None:
        return _copy_of(cached) if alone else cached
    try:
        with tempfile.TemporaryDirectory(prefix="quorate-", ignore_cleanup_errors=True) as temporary:
            folder = Path(temporary)
            for file, text in library.sources.items():
                (folder / file).write_text(text, encoding="utf-8")
            made = _build(compiler, library, folder, directory, began)
            whole = _publish(made, entry)
            return ctypes.CDLL(str(made if alone or whole is None else whole))
    except OSError as failure:
        raise CompileFailed(
            f"The compiled form of {library.name!r} could not be written or loaded: {failure}. "
            "Free some space in the temporary directory, or point $TMPDIR elsewhere."
        ) from None


def kept(library: Library) -> ctypes.CDLL | None:
    """A library if the cache has it. Raises `NoCompiler`."""
    return _take(_place(library)[2])


def _place(library: Library) -> tuple[Compiler, Path, Path]:
    """What compiles a library, the directory of objects, and the entry in it."""
    compiler, directory = find(), cache_directory() or _of_this_process()
    return compiler, directory, directory / _key(compiler, library.name, library.sources, _told_apart(library))


def _told_apart(library: Library) -> list[str]:
    """The flags as they are part of a key: those that some units have alone stand by themselves."""
    own = ["own:", *library.own] if library.own else []
    return [*library.flags, *own, *_words("CFLAGS")]


def _copy_of(loaded: ctypes.CDLL) -> ctypes.CDLL:
    """A library loaded once more, from a file that nobody else loads. Raises CompileFailed, also if somebody has removed the file."""
    try:
        with tempfile.TemporaryDirectory(prefix="quorate-", ignore_cleanup_errors=True) as folder:
            return ctypes.CDLL(str(shutil.copyfile(loaded._name, Path(folder) / "alone.so")))
    except OSError as failure:
        raise CompileFailed(f"{loaded._name} could not be loaded once more: {failure}.") from None


class Meanwhile:
    """A library that is built while something else goes on. What is found has variables of its own, whoever else in this process uses
    the library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._running: list[subprocess.Popen[str]] = []
        self._is_stopped = False
        self._found: ctypes.CDLL | None = None
        self._thread = threading.Thread(target=self._build, daemon=True)
        self._thread.start()

    def _build(self) -> None:
        with contextlib.suppress(QuorateError):  # What goes on does without it.
            self._found = built(self._library, self._began, alone=True)

    def _began(self, process: subprocess.Popen[str]) -> None:
        self._running.append(process)
        if self._is_stopped:
            self._kill(process)

    @staticmethod
    def _kill(process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    @property
    def is_done(self) -> bool:
        """Whether it is built, or cannot be."""
        return not self._thread.is_alive()

    @property
    def found(self) -> ctypes.CDLL | None:
        """It, once it is there; it may never be."""
        return self._found

    def stop(self) -> None:
        """Do without it."""
        self._is_stopped = True
        for process in list(self._running):
            self._kill(process)
        self._thread.join()


def _build(compiler: Compiler, library: Library, folder: Path, directory: Path, began: Began) -> Path:
    """Build a library; a unit that others have, too, as it was kept, or it is kept now."""
    common, units = library.common, library.units
    if common is None:
        return compiler.build(units, library, folder, began)
    needed = {file: text for file, text in library.sources.items() if file == common or file not in units}
    flags = library.flags_of(common)
    entry, part = directory / _key(compiler, common, needed, flags), Path(common).with_suffix(".o")
    is_kept = any(_copied(file, folder / part) for file in _objects(entry))
    if is_kept:
        _note_use(entry)
        units[units.index(common)] = str(part)
    built = compiler.build(units, library, folder, began)
    if not is_kept:
        _publish(folder / part, entry)
    return built


def _copied(kept: Path, to: Path) -> bool:
    """Copy an object from the cache if it is whole, and nobody has removed it meanwhile."""
    try:
        if not _is_whole(kept):
            return False
        shutil.copyfile(kept, to)
    except OSError:
        return False
    return True


def cache_directory() -> Path | None:
    """Where objects are kept: it need not exist, and need not be writable. None if there is no place that only the user can write to."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        found = (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "quorate" / "objects"
    except RuntimeError:  # No home directory can be determined.
        return None
    return found if is_private(found) else None


@cache
def _of_this_process() -> Path:
    """A new directory under a name that nobody could have foreseen, which is removed at the end. Raises CompileFailed."""
    try:
        made = Path(tempfile.mkdtemp(prefix="quorate-"))
    except OSError as failure:
        raise CompileFailed(f"There is no place for compiled forms: {failure}. Point $TMPDIR elsewhere.") from None
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def is_private(path: Path) -> bool:
    """Whether only the user (and root) can put something at a path, as far as it exists: each directory on the way is the user's or
    root's, and others may write to none of them unless it is sticky, as /tmp is; the last one is the user's own."""
    if not hasattr(os, "getuid"):
        return True
    real = Path(os.path.realpath(path))
    for part in (real, *real.parents):
        try:
            status = os.lstat(part)
        except FileNotFoundError:
            continue
        except OSError:
            return False
        sticky = part != real and status.st_mode & stat.S_ISVTX
        if status.st_uid not in (os.getuid(), 0) or (_others_may_write(status) and not sticky):
            return False
        if part == real and status.st_uid != os.getuid():
            return False
    return True


def _others_may_write(status: os.stat_result) -> bool:
    if status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_own_group(status.st_gid)


@cache
def _is_own_group(number: int) -> bool:
    """Whether a group is the one that many systems make for each user, with nobody else in it."""
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(number)
    except KeyError:
        return False
    return group.gr_name == user and not set(group.gr_mem) - {user}


def _identified(command: tuple[str, ...], file: str) -> Compiler:
    resolved = os.path.realpath(file)
    status = os.stat(resolved)
    return Compiler(command, f"{shlex.join(command)} {resolved} {status.st_size} {status.st_mtime_ns}")


def _key(compiler: Compiler, name: str, sources: Mapping[str, str], flags: Sequence[str]) -> str:
    digest = hashlib.sha256()
    parts = [compiler.identity, _machine(), name, *BASE_FLAGS, *flags]
    for part in [*parts, *(piece for item in sorted(sources.items()) for piece in item)]:
        encoded = part.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()[:40]


def _machine() -> str:
    """The processor's kind and, where Linux tells, its instruction sets."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(("flags", "Features")):
                return f"{platform.machine()} {line}"
    return f"{platform.system()} {platform.machine()} {platform.processor()}"


def _take(entry: Path) -> ctypes.CDLL | None:
    """The object of a cache entry, or None. Files that are not what their name says are removed."""
    for file in _objects(entry):
        try:
            if _is_whole(file):
                loaded = ctypes.CDLL(str(file))
                _note_use(entry)
                return loaded
        except OSError:
            pass  # Unreadable, or refused by the loader: as useless as a damaged one.
        with contextlib.suppress(OSError):
            file.unlink()
    return None


def _note_use(entry: Path) -> None:
    """The pruning below removes what was not used for the longest time. In a cache that cannot be written nothing is noted."""
    with contextlib.suppress(OSError):
        os.utime(entry)


def _is_whole(file: Path) -> bool:
    """Whether a file is the user's, and what its name says."""
    return is_private(file) and _digest(file) == file.stem


def _objects(entry: Path) -> list[Path]:
    try:
        return sorted(file for file in entry.iterdir() if not file.name.startswith(PARTIAL))
    except OSError:
        return []


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:40]


def _publish(built: Path, entry: Path) -> Path | None:
    """Copy a built object into the cache and return it there, or None when the cache cannot take it."""
    partial: Path | None = None
    try:
        entry.parent.parent.mkdir(parents=True, exist_ok=True)
        for folder in (entry.parent, entry):
            folder.mkdir(mode=0o700, exist_ok=True)
        handle, private = tempfile.mkstemp(prefix=PARTIAL, dir=entry)
        partial = Path(private)
        with os.fdopen(handle, "wb") as file:
            file.write(built.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        target = entry / f"{_digest(built)}{built.suffix}"
        os.replace(partial, target)
    except OSError:
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink()
        return None
    _prune(entry.parent)
    return target


def _prune(directory: Path) -> None:
    """Remove the entries used longest ago beyond `ENTRIES_MAX`, and what killed builders left behind.

    Another process may have such an entry open or be removing it too; both are harmless."""
    with contextlib.suppress(OSError):
        entries = sorted(_dated(directory), reverse=True)
        for _, entry in entries[ENTRIES_MAX:]:
            shutil.rmtree(entry, ignore_errors=True)
        for changed, entry in entries[:ENTRIES_MAX]:
            if time.time() - changed > STALE_PARTIAL_S:
                for leftover in entry.glob(f"{PARTIAL}*"):
                    leftover.unlink(missing_ok=True)


def _dated(directory: Path) -> Iterator[tuple[float, Path]]:
    for entry in directory.iterdir():
        with contextlib.suppress(OSError):
            yield entry.stat().st_mtime, entry
