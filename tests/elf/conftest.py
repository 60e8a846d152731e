from __future__ import annotations

from pathlib import Path

import pytest
from conftest import require

from elf.lab import MUSL, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A place for glibc's programs."""
    require("gcc")
    return Lab(tmp_path)


@pytest.fixture
def musl_lab(tmp_path: Path) -> Lab:
    """A place for musl's programs."""
    require("musl-gcc")
    return Lab(tmp_path, MUSL)
