"""Real programs for the analyzers: small C programs, and the C library they run with."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from itertools import chain
from pathlib import Path

from filetree.kit import Member, Members, file, image_of

from minify.analyzers import ANALYZERS, IMAGE_RULES
from minify.closure import Context, KeepSet, solve
from minify.closure.roots import find_roots
from minify.filetree import FileTree, Kind
from minify.image.jsontext import Json
from minify.packages import read_packages
from minify.planning import Plan

LOADER = "/lib64/ld-linux-x86-64.so.2"
LIBRARIES = "/lib/x86_64-linux-gnu"


@functools.cache
def compiled(source: str, *flags: str) -> bytes:
    """The ELF file that gcc makes of a C text."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out")
        command = ["gcc", "-w", "-O0", "-xc", "-", "-xnone", "-o", str(out), *flags]
        subprocess.run(command, input=source.encode(), check=True)
        return out.read_bytes()


def calling(*functions: str, name: str = "app", flags: tuple[str, ...] = ()) -> Member:
    """A program that refers to C functions without calling them at run time."""
    calls = "".join(
        f"extern int {function}(); void *p_{function} = {function};\n" for function in functions
    )
    return file(name, compiled(f"{calls} int main(){{return 0;}}", *flags), mode=0o755)


@functools.cache
def libc() -> tuple[Member, ...]:
    """The machine's own C library and loader, where a tree that is not merged has them."""
    return (
        file(LOADER[1:], Path(LOADER).read_bytes(), mode=0o755),
        file(f"{LIBRARIES[1:]}/libc.so.6", Path(LIBRARIES, "libc.so.6").read_bytes(), mode=0o755),
    )


def findings(run: dict[str, Json], members: Members) -> KeepSet:
    """What the rules and analyzers say of an image; nothing is decided from it."""
    image = image_of(run, members)
    tree = FileTree.from_layers(image.layers)
    context = Context.of(tree, image.config, read_packages(tree))
    roots = find_roots(context, may_be_idle=True)
    context = context.starting(roots.programs, roots.scripts)
    found = chain(roots.findings, chain.from_iterable(rule(context) for rule in IMAGE_RULES))
    return solve(found, ANALYZERS, context)


def unpack(plan: Plan, tree: FileTree, directory: Path) -> None:
    """What is planned, as files below a directory of this host; without devices."""
    for item in plan.entries:
        out = directory / item.entry.path.lstrip("/")
        match item.entry.kind:
            case Kind.DIRECTORY:
                out.mkdir(exist_ok=True)
            case Kind.SYMLINK:
                out.symlink_to(item.entry.target)
            case Kind.CHARACTER:
                pass  # an engine gives it
            case _:
                out.write_bytes(tree.read(item.entry) if item.content is None else item.content)
                out.chmod(item.entry.mode)


def users(keep: KeepSet) -> list[str]:
    """Accounts (`!`: the program becomes it), and what only root can do (`#`), with the reasons."""
    accounts = [
        f"{'!' if run.grade else ''}{run.account}: {run.reason.by} {run.reason.detail}"
        for run in keep.runs_as
    ]
    root = [
        f"#{need.unless and f' unless {need.unless}'}: {need.reason.by} {need.reason.detail}"
        for need in keep.needs_root
    ]
    return [*accounts, *root]


def writes(keep: KeepSet, *rules: str) -> dict[str, str]:
    """Each path that is written, by any of `rules`: how, and the evidence."""
    return {
        w.path: f"{w.what.value}: {w.reason.detail}" for w in keep.writes if w.reason.rule in rules
    }
