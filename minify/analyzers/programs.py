"""All programs that an image is for: those of its configuration, and what they start or become."""

from __future__ import annotations

from dataclasses import replace

from minify.analyzers.managers import managed
from minify.analyzers.services import enabled_modules
from minify.analyzers.walks import programs_gone_on_as
from minify.closure import Context
from minify.closure.roots import Roots
from minify.filetree import ImagePath


def complete(
    roots: Roots, context: Context, kept: tuple[ImagePath, ...] = ()
) -> tuple[Roots, Context]:
    """`roots` with what managers start, and the context with every program that is known."""
    started = context.starting(roots.programs, roots.scripts)
    programs = (*roots.programs, *programs_gone_on_as(started))
    found = managed(started.starting(programs, roots.scripts))
    every = replace(found.roots, findings=(*roots.findings, *found.roots.findings))
    known = context.starting(every.programs, every.scripts, kept, lines=found.lines)
    modules = enabled_modules(known)
    return every, context.starting(every.programs, every.scripts, kept, modules, found.lines)
