"""Workspaces of an application that nothing of what is started has to do with.

A package of its own is the application's, and may be read as data by a path that a run puts
together. So it goes only where no text of what is followed has its name, its directory's or that
of one above it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from minify.analyzers.node_launches import Launches
from minify.closure import Context
from minify.filetree import ImagePath
from minify.filetree.path import is_within, joined
from minify.node import Graph
from minify.node.configured import named_in_files
from minify.node.workspaces import Workspace, workspaces


def unreached(graph: Graph, launches: Launches, context: Context) -> tuple[ImagePath, ...]:
    """The directories of workspaces that can go, none within another."""
    declared = {one.directory: one for one in _declared(graph, context)}
    if not declared or graph.unknown:
        return ()
    outside = (path for path in graph.modules if graph.owner(path) is None)
    paths = tuple(dict.fromkeys((*outside, *_started(launches, context))))
    gone = {path: one for path, one in declared.items() if not _is_reached(path, paths)}
    while gone:
        kept = tuple(one for path, one in declared.items() if path not in gone)
        words = frozenset(_words(graph, launches, kept, gone, context))
        left = {path: one for path, one in gone.items() if not _is_named(one, words)}
        if len(left) == len(gone):
            break
        gone = left
    holding = [path for path in declared if path not in gone]
    return tuple(
        path
        for path in gone
        if not any(is_within(path, other) for other in gone if other != path)
        and not _is_reached(path, holding)
    )


def _declared(graph: Graph, context: Context) -> Iterator[Workspace]:
    for application in graph.applications:
        yield from workspaces(application, context.tree, graph.resolver)


def _started(launches: Launches, context: Context) -> Iterator[ImagePath]:
    for launch in launches.found:
        entry = context.tree.file(joined(launch.directory, launch.entry.script))
        if entry is not None:
            yield entry.path
        where = context.tree.directory(launch.directory)
        if where is not None:
            yield where.path
    start = context.tree.directory(context.workdir)
    if start is not None:
        yield start.path


def _is_reached(directory: ImagePath, paths: Iterable[ImagePath]) -> bool:
    return any(is_within(path, directory) for path in paths)


def _words(
    graph: Graph,
    launches: Launches,
    kept: Iterable[Workspace],
    gone: Collection[ImagePath],
    context: Context,
) -> Iterator[str]:
    """The parts of all texts that may be paths; of a name the name itself, too."""
    for text in _texts(graph, launches, context):
        yield text
        yield from text.split("/")
    for one in kept:
        yield from one.manifest.asked_for
    for application in graph.applications:
        for name, path in named_in_files(context.tree, application):
            if not any(is_within(path, directory) for directory in gone):
                yield from (name, *name.split("/"))


def _texts(graph: Graph, launches: Launches, context: Context) -> Iterator[str]:
    yield from context.config.env.values()
    for launch in launches.found:
        yield from launch.entry.operands
    yield from graph.texts_of_applications()


def _is_named(one: Workspace, words: frozenset[str]) -> bool:
    return one.manifest.name in words or not words.isdisjoint(one.path.split("/"))
