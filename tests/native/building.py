"""C programs around the engine, compiled with all warnings, and under the compiler's sanitizers if wanted."""

from __future__ import annotations

import subprocess
from pathlib import Path

from quorate import cc

HERE = Path(__file__).parent
ENGINE = HERE.parent.parent / "checker" / "quorate" / "explore" / "native"
SANITIZERS = {
    "plain": ("-O1",),
    "address": ("-Og", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    "thread": ("-Og", "-g1", "-fsanitize=thread"),
}
"""How to compile: as models are, or so that the compiler, which takes longer than the programs run, is done soonest."""


def program(target: Path, source: str, sanitizer: str, *flags: str) -> str:
    """Compile a C text to a program; its path."""
    main = target.with_suffix(".c")
    main.write_text(source, encoding="utf-8")
    command = [
        *cc.find().command,
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-unused-function",
        *SANITIZERS[sanitizer],
        *flags,
        f"-I{ENGINE}",
        f"-I{HERE}",
        f"-I{HERE / 'models'}",
        str(main),
        "-pthread",
        "-o",
        str(target),
    ]
    subprocess.run(command, check=True)
    return str(target)


def found(program: str, *arguments: object) -> dict[str, str]:
    """What a run printed, by name."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True)
    return dict(item.split("=", 1) for item in done.stdout.split())
