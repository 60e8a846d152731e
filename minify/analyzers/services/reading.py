"""The configuration of services: what the command line names or the usual files, and includes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from minify.analyzers.directives import Directive, assigned, directives, expanded, text_of
from minify.analyzers.services.table import SERVICES, Service
from minify.analyzers.started import Started, option_values, started
from minify.closure import Context
from minify.closure.patterns import glob
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import joined, parent

_MOST_FILES = 512
_MOST_NAMED = 256
_MOST_DIRECTIVES = 20_000
_LONGEST_SHELL = 1 << 16
# Dovecot's and MySQL's way to say it; the general reader takes `!` for a comment.
_MARKED = re.compile(r"^[ \t]*+[!.](?=include)", re.MULTILINE)
_INCLUDE = "include"
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a configuration."""

    entry: Entry
    written: str
    """The path by which it was found."""
    by: str
    """The path that named it, or the program's."""
    directives: tuple[Directive, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one program reads before it works."""

    program: Started
    service: Service
    files: tuple[File, ...]
    """In the order in which they are found; each once."""
    variables: Mapping[str, str]
    bases: tuple[str, ...]
    """Directories that relative names may be below, the most likely first."""

    def named(self, word: str, file: File, context: Context) -> tuple[str, ...]:
        """The paths that exist by the name or glob `word` in `file`, below one base."""
        value = expanded(word, self.variables)
        if not value or "\0" in value:
            return ()
        for base in (*self.bases, parent(ImagePath(file.written)), parent(file.entry.path)):
            found = _existing(joined(base, value), context)
            if found or value.startswith("/"):
                return found
        return ()


def configurations(context: Context) -> Iterator[Configuration]:
    """The configuration of each program that is started and known, by any of its names."""
    for program in started(context):
        for name in sorted(program.names & SERVICES.keys()):
            yield configuration(program, SERVICES[name], context)


def configuration(program: Started, service: Service, context: Context) -> Configuration:
    """What `program` reads."""
    variables = _variables(service, context)
    prefixes = [
        joined(context.workdir, value)
        for value in option_values(program.arguments, service.prefixes.split())
    ]
    main = tuple(_main_files(program, service, prefixes, context))
    directories = [parent(ImagePath(path)) for path in main]
    above = [parent(path) for path in directories if path.endswith("/conf")]
    bases = (*prefixes, *service.bases.split(), *directories, *above, context.workdir)
    bases = tuple(dict.fromkeys(bases))
    # Apache's main file comes first, and says what the others are below.
    if service.base:
        variables = _defined(main, variables, context)
        bases = (*_said_base(service, main, bases, variables, context), *bases)
    before = Configuration(program, service, (), variables, bases)
    return Configuration(program, service, _followed(main, before, context), variables, bases)


def _variables(service: Service, context: Context) -> Mapping[str, str]:
    file = context.tree.file(service.variables) if service.variables else None
    env = context.config.env
    return assigned(text_of(file, context.tree)[:_LONGEST_SHELL], env) if file else env


def _main_files(
    program: Started, service: Service, prefixes: list[str], context: Context
) -> Iterator[str]:
    """The files that are read first: what the command line names, else the usual ones."""
    read = partial(_read, is_deep=service.is_deep, context=context)
    values = list(option_values(program.arguments, service.options.split()))
    if service.is_operand:
        values += [word for word in program.arguments if word[:1] not in ("-", "")][:1]
    bases = (*prefixes, context.workdir, *service.bases.split())
    told = [
        path
        for value in values
        for path in next(filter(None, (read(joined(b, value)) for b in bases)), ())
    ]
    if values and not told:
        return  # it will be mounted, and the usual ones are not read
    usual = (path for pattern in service.files.split() for path in glob(context.tree, pattern))
    every = [path for found in islice(usual, _MOST_FILES) for path in read(found)]
    # Some are told one of the usual files, and find the others themselves.
    yield from islice(dict.fromkeys(every if set(told) <= set(every) else told), _MOST_FILES)


def _read(path: str, context: Context, *, is_deep: bool = False) -> tuple[str, ...]:
    """The files that a path stands for: itself, or those in a directory."""
    entry = context.tree.resolve(path).entry
    if entry is None:
        return ()
    if entry.kind is not Kind.DIRECTORY:
        return (path,)
    if is_deep:
        below = islice(context.tree.below(entry.path), _MOST_FILES)
        return tuple(inner.path for inner in below if inner.kind is Kind.FILE)
    names = islice(context.tree.children(entry.path), _MOST_NAMED)
    inside = (f"{path.rstrip('/')}/{name}" for name in names)
    return tuple(path for path in inside if context.tree.file(path))


def _existing(pattern: str, context: Context) -> tuple[str, ...]:
    if _MAGIC.search(pattern):
        return tuple(islice(glob(context.tree, pattern), _MOST_NAMED))
    return tuple(context.existing((pattern,)))


def _main_directives(main: tuple[str, ...], context: Context) -> Iterator[Directive]:
    for path in main:
        file = context.tree.file(path)
        yield from _directives(file, context) if file else ()


def _defined(
    main: tuple[str, ...], variables: Mapping[str, str], context: Context
) -> Mapping[str, str]:
    """`variables` with those that Apache's `Define NAME value` adds."""
    known = dict(variables)
    for one in _main_directives(main, context):
        if one.name == "define" and len(one.words) > 1:
            known[one.words[0]] = one.words[1]
    return known


def _said_base(
    service: Service,
    main: tuple[str, ...],
    bases: tuple[str, ...],
    variables: Mapping[str, str],
    context: Context,
) -> Iterator[str]:
    """The directory that the main files themselves say relative names are below."""
    for one in _main_directives(main, context):
        if one.name == service.base and one.words:
            value = expanded(one.words[0], variables)
            found = context.tree.directory(joined(bases[0], value)) if value and bases else None
            if found is not None:
                yield joined(bases[0], value or "")


def _directives(entry: Entry, context: Context) -> tuple[Directive, ...]:
    text = _MARKED.sub("", text_of(entry, context.tree))
    return tuple(islice(directives(text), _MOST_DIRECTIVES))


def _followed(
    main: tuple[str, ...], configuration: Configuration, context: Context
) -> tuple[File, ...]:
    """The files at `main` and all that they include, each once."""
    pending = [(path, str(configuration.program.path)) for path in main]
    found: dict[str, File] = {}
    entries: set[ImagePath] = set()
    for path, by in pending:
        entry = context.tree.file(path)
        if entry is None or path in found or len(found) >= _MOST_FILES:
            continue
        text = text_of(entry, context.tree)
        file = File(entry, path, by, _directives(entry, context), text)
        found[path] = file
        if entry.path in entries:
            continue  # the program may read it by this link; what it says is known
        entries.add(entry.path)
        pending += (
            (inner, str(entry.path))
            for directive in file.directives
            if _includes(directive, configuration.service)
            for word in directive.words
            for named in configuration.named(word.partition(",")[0], file, context)
            for inner in _read(named, context)
        )
    return tuple(found.values())


def _includes(directive: Directive, service: Service) -> bool:
    return directive.name.startswith(_INCLUDE) or directive.name in service.includes.split()
