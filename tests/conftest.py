"""What several tests share: how a test that lacks its tool says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import NoReturn

import pytest


def absent(reason: str) -> NoReturn:
    """Skip with the reason; on CI, where every tool should be there, fail with it."""
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(f"{reason} (a skip outside CI)", pytrace=False)
    pytest.skip(reason)


def need(*tools: str) -> str:
    """The path of the first of these tools that is installed."""
    for tool in tools:
        if path := shutil.which(tool):
            return path
    absent(f"not installed: {' or '.join(tools)}")


@pytest.fixture(name="absent", scope="session")
def _absent() -> Callable[[str], NoReturn]:
    return absent


@pytest.fixture(name="need", scope="session")
def _need() -> Callable[..., str]:
    return need
