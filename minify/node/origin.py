"""Why a module is loaded, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Why a module is loaded."""

    by: str
    """The file that asks; empty for the configuration."""
    detail: str
    is_sure: bool = True
