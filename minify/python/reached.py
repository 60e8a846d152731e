"""A module that a program may import, and who asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from minify.python.distributions import Distribution
from minify.python.finder import Module


@dataclass(frozen=True, slots=True)
class Origin:
    """Why a module is imported."""

    by: str
    """The file that asks; empty for the interpreter itself."""
    detail: str


@dataclass(frozen=True, slots=True)
class Reached:
    """A module and the first that asked for it."""

    module: Module
    origin: Origin
    distribution: Distribution | None
    """None for the standard library and for the application."""
