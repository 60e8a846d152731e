"""All programs that an image is for: those of its configuration, and those that they go on as."""

from __future__ import annotations

from minify.analyzers.services import enabled_modules
from minify.analyzers.walks import programs_gone_on_as
from minify.closure import Context
from minify.closure.roots import Roots
from minify.filetree import ImagePath


def complete(
    roots: Roots, context: Context, kept: tuple[ImagePath, ...] = ()
) -> tuple[Roots, Context]:
    """`roots`, and the context with every program, those that the user keeps among them."""
    started = context.starting(roots.programs, roots.scripts)
    programs = (*roots.programs, *programs_gone_on_as(started))
    known = started.starting(programs, roots.scripts, kept)
    return roots, known.starting(programs, roots.scripts, kept, enabled_modules(known))
