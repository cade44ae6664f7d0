"""The pages in the package are what their sources say."""

from pathlib import Path

import pytest

from tests.web.npm import PAGES, ROOT, installed, run


@pytest.mark.slow
def test_the_built_pages_are_current_and_their_sources_are_typed(tmp_path: Path) -> None:
    folder = installed()
    typed = run(folder, "npx", "tsc", "--noEmit")
    assert typed.returncode == 0, typed.stdout
    built = run(folder, "node", "build.mjs", str(tmp_path))
    assert built.returncode == 0, built.stderr
    for page in PAGES:
        package = ROOT / "checker" / "quorate" / page
        assert {file.name for file in package.iterdir()} == {file.name for file in (tmp_path / page).iterdir()}
        for file in (tmp_path / page).iterdir():
            assert file.read_bytes() == (package / file.name).read_bytes(), f"{file.name}: `npm run build` in web/"
