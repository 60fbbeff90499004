"""What the documents show is what comes out: pages, commands, examples and tables."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from symparams import catalog, reference
from symparams.binding import bind
from symparams.derivation.parts import of_bound as derive
from symparams.reference.example import example
from symparams.terms import letters

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SAMPLE = ("conv2d", "lstm", "max_pool2d", "transformer_encoder_layer")
CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


build = _load()
MISCOUNTS = [*build.cases("params"), *build.cases("macs")]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_nothing_would_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--check", *(() if CI else SAMPLE)]) == 0, capsys.readouterr().err


@pytest.mark.skipif(not CI, reason="a new layer's page is written last: python docs/build.py")
def test_there_is_a_page_for_every_layer_and_for_no_other() -> None:
    pages = {path.stem for path in (DOCS / "layers").glob("*.md")}
    assert pages == {*catalog.ids(), "README"}


@pytest.mark.parametrize("case", MISCOUNTS, ids=lambda case: case.line)
def test_what_is_miscounted_elsewhere_is_counted_here(case: object) -> None:
    assert build.number(case.line) == case.true  # type: ignore[attr-defined]  # build.Case


def test_links_lead_somewhere() -> None:
    for path in (ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("layers/*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert "://" in link or (path.parent / link).exists(), (path.name, link)


# --- the builder itself ---------------------------------------------------------------------------


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    found: str = build.written(path)
    return found


def test_an_output_that_is_stale_is_replaced(tmp_path: Path) -> None:
    stale = "```\n$ symparams derive linear C_in=2 C_out=3 --level line\nold\n```\n"
    fresh = written(tmp_path, stale)
    assert "old" not in fresh
    assert "9" in fresh
    assert written(tmp_path, fresh) == fresh


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nsymparams derive no_such_layer\n```\n",
        "```\n$ symparams derive conv2d kernel_size=0\n```\n",
        "```python\n1 + 1  # 3\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
    ],
)
def test_what_is_not_so_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(build.Wrong):
        written(tmp_path, text)


def test_a_block_of_python_sees_the_one_before(tmp_path: Path) -> None:
    text = "```python\nfour = 4\nfour  # 4\n```\n\n```python\n>>> four + 1\n5\n```\n"
    assert written(tmp_path, text) == text


# --- the pages ------------------------------------------------------------------------------------


def test_a_page_says_what_is_in_it() -> None:
    text = reference.page_of("nn.Conv2d").text()
    for said in ("filters", "kernel_dilation", "3 · 3 · 3", "H, W ", "only sets the output size"):
        assert said in text
    assert "Conventions" not in text
    assert "second bias vector" in reference.page_of("lstm").text()


def test_every_sentence_is_some_layers() -> None:
    text = (ROOT / "templates/words/en/reference/what.toml").read_text(encoding="utf-8")
    layers = [catalog.layer(identity) for identity in catalog.ids()]
    known = {name for layer in layers for name in (layer.id, layer.family)}
    assert set(tomllib.loads(text)["what"]) <= known


WEIGHTS = [i for i in catalog.ids() if letters(reference.formula_of(i))]


@pytest.mark.parametrize("identity", WEIGHTS)
def test_every_layer_with_weights_has_an_example_in_numbers(identity: str) -> None:
    small = example(catalog.builder(identity))
    assert small is not None
    found = derive(bind(catalog.builder(identity), small.given))
    value = found.with_bias if found.value is None else found.value
    assert value is None or (value > 0 and value == int(value))
    assert value is not None or letters(found.symbolic) <= {"a", "b"}
