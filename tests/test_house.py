"""The house rules: lint, format, types, import directions, and what may be in the repository."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

import symparams

ROOT = Path(__file__).resolve().parent.parent

# import-linter has no ``python -m``; this is what its script ``lint-imports`` calls.
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as main; main()"

TOP_LEVEL = {
    "src",
    "templates",
    "tests",
    "docs",
    "benchmarks",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CITATION.cff",
    ".ci",
    ".gitignore",
}

# Folders of one machine, and the hosts of package registries.  The names are written with a
# bracket each, so that this file does not match itself.
PRIVATE = re.compile(
    r"(?<![\w.])/(?:[w]ork|[r]oot)/"
    r"|[p]ythonhosted|[p]ypi\.org|[r]egistry\.npmjs|[d]eb\.debian\.org"
)


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        pytest.param("ruff", ["-m", "ruff", "check"], id="lint"),
        pytest.param("ruff", ["-m", "ruff", "format", "--check"], id="format"),
        pytest.param("mypy", ["-m", "mypy"], id="types"),
        pytest.param("importlinter", ["-c", LINT_IMPORTS, "--no-cache"], id="imports"),
    ],
)
def test_house_rule(module: str, arguments: list[str], absent: Callable[[str], NoReturn]) -> None:
    if importlib.util.find_spec(module) is None:
        absent(f"not installed: {module}")
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        pytest.fail(f"{module}:\n{done.stdout}{done.stderr}", pytrace=False)


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        [git, "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return [name for name in listed.stdout.split("\0") if name]


def test_nothing_private_is_tracked(tracked: list[str]) -> None:
    found = []
    for name in tracked:
        path = ROOT / name
        if not path.is_file():  # deleted and not yet committed
            continue
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
        found += [
            f"{name}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(lines, start=1)
            if PRIVATE.search(line)
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["cd /{}ork/main", '"/{}ork/x"', "https://p{}pi.org/x"])
def test_private_lines_are_recognised(text: str) -> None:
    assert PRIVATE.search(text.format("y" if "pi" in text else "w"))
    assert not PRIVATE.search(text.format("_"))


def test_top_level_holds_only_what_it_should(tracked: list[str]) -> None:
    assert {name.split("/")[0] for name in tracked} <= TOP_LEVEL


def test_citation_names_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {symparams.__version__}\n" in citation
