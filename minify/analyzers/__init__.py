"""What else does this file need: one module per kind of file.

An analyzer is a function of one kept entry, its grade and the context, and yields findings. To
teach minify something new, write one and add it to the table below; nothing else changes. An
image rule is asked once, whatever the files are; a pruner when all else is known. The numbers in
the modules are those of the catalogue of rules that were measured on real programs.
"""

from minify.analyzers import (
    absent,
    accounts,
    base_files,
    cgi,
    configuration,
    dlopen_notes,
    elf_needed,
    interpreters,
    logins,
    managers,
    node,
    own_directories,
    packed,
    privileges,
    python,
    python_runners,
    runtimes,
    scripts,
    service,
    services,
    skeleton,
    sources,
    sourcewrites,
    units,
    written,
)
from minify.analyzers.opened import matching, private_scripts, strings
from minify.closure import Analyzer, ImageRule, Pruner

ANALYZERS: tuple[Analyzer, ...] = (
    elf_needed.analyze,
    dlopen_notes.analyze,
    matching.analyze,
    strings.analyze,
    private_scripts.analyze,
    scripts.analyze,
    packed.analyze,
    runtimes.analyze,
    interpreters.analyze,
    configuration.analyze,
    sources.analyze,
    accounts.analyze,
    written.analyze,
    sourcewrites.analyze,
    privileges.analyze,
)

IMAGE_RULES: tuple[ImageRule, ...] = (
    base_files.find,
    skeleton.find,
    service.find,
    own_directories.find,
    cgi.find,
    services.find,
    logins.find,
    managers.find,
    units.find,
    node.find,
    python_runners.find,
    privileges.find,
    absent.find,
)

PRUNERS: tuple[Pruner, ...] = (python.prune, node.prune)

__all__ = ["ANALYZERS", "IMAGE_RULES", "PRUNERS"]
