"""The templates folder is found from a checkout, an editable install and an installed wheel."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"

# A site folder is added by ``site``, so that the .pth file of an editable install counts.
TRY = """
import site, sys
_, kind, folder, identity = sys.argv
if kind == "site":
    before = list(sys.path)
    site.addsitedir(folder)
    sys.path[:] = [entry for entry in sys.path if entry not in before] + before
else:
    sys.path.insert(0, folder)
from symparams import words
sys.stdout.reconfigure(encoding="utf-8")
print(words.__file__)
print(words.templates())
print(words.plain(identity))
"""


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def build(
    tmp_path_factory: pytest.TempPathFactory, absent: Callable[[str], NoReturn]
) -> Callable[[str], Path]:
    """Builds with the hook of PEP 517 that pip calls too; needs neither pip nor a network."""

    def build(hook: str) -> Path:
        if importlib.util.find_spec("hatchling") is None:
            absent("not installed: hatchling")
        folder = tmp_path_factory.mktemp(hook)
        code = f"import sys; from hatchling.build import {hook} as build; build(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (built,) = folder.iterdir()
        return built

    return build


def unpacked(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def tried_from(kind: str, folder: Path, empty: Path) -> tuple[Path, Path]:
    """Where words.py and its templates were found by a Python that was started elsewhere."""
    empty.mkdir()
    errors = tomllib.loads((TEMPLATES / "words/en/errors.toml").read_text(encoding="utf-8"))
    key, sentence = next(
        (key, text) for key, text in errors.items() if isinstance(text, str) and "{" not in text
    )
    done = subprocess.run(
        [sys.executable, "-c", TRY, kind, str(folder), f"errors.{key}"],
        cwd=empty,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert done.returncode == 0, done.stderr
    module, templates, said = done.stdout.split("\n", 2)
    assert said.strip() == sentence.strip()
    return Path(module).resolve(), Path(templates).resolve()


def test_found_from_a_checkout(tmp_path: Path) -> None:
    module, templates = tried_from("path", ROOT / "src", tmp_path / "empty")
    assert module == ROOT / "src/symparams/words.py"
    assert templates == TEMPLATES


def test_found_from_an_editable_install(tmp_path: Path, build: Callable[[str], Path]) -> None:
    site = unpacked(build("build_editable"), tmp_path / "site")
    assert not (site / "symparams" / "words.py").exists()
    module, templates = tried_from("site", site, tmp_path / "empty")
    assert module == ROOT / "src/symparams/words.py"
    assert templates == TEMPLATES


def test_found_inside_an_installed_wheel(tmp_path: Path, build: Callable[[str], Path]) -> None:
    site = unpacked(build("build_wheel"), tmp_path / "site").resolve()
    module, templates = tried_from("site", site, tmp_path / "empty")
    assert module == site / "symparams/words.py"
    assert templates == site / "symparams/templates"
    assert files(templates) == files(TEMPLATES)
    assert (site / "symparams/py.typed").is_file()


def test_source_distribution_holds_the_templates(build: Callable[[str], Path]) -> None:
    with tarfile.open(build("build_sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"templates/{name}" for name in files(TEMPLATES)} <= names
