"""A directory of compiled programs and libraries, and what they get: by ld.so and by minify.

    lab.library("B/libb.so")
    lab.library("A/liba.so", needs=["B/libb.so"])
    lab.program("prog", needs=["A/liba.so"], flags=[rpath("A", "B")])
    lab.check("prog", {"liba.so": "A/liba.so", "libb.so": "B/libb.so"})

Nothing is called in them, so that only names count.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filetree.kit import Member, directory, file, symlink, tree_of

from minify.elf import LinkMap, Loader
from minify.filetree import Entry, FileTree

OLD = "-Wl,--disable-new-dtags"
NEW = "-Wl,--enable-new-dtags"

Found = dict[str, str | None]
"""What a name leads to, below the lab's directory; None if it is missing."""


@dataclass(frozen=True, slots=True)
class Flavour:
    """A C library on this machine."""

    compiler: str
    interpreter: str
    files: tuple[str, ...]
    """What a process reads besides the lab's own files."""


GLIBC = Flavour(
    "gcc",
    "/lib64/ld-linux-x86-64.so.2",
    (
        "/lib64/ld-linux-x86-64.so.2",
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/etc/ld.so.cache",
        "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    ),
)
MUSL = Flavour(
    "musl-gcc",
    "/lib/ld-musl-x86_64.so.1",
    ("/lib/ld-musl-x86_64.so.1", "/etc/ld-musl-x86_64.path"),
)

_C_LIBRARY = re.compile(r"(?:^|/)(?:libc\.so|ld-linux|ld-musl|linux-vdso)")


class Lab:
    """Compiles into `root`, a directory of this host, whose absolute paths go into the files."""

    def __init__(self, root: Path, flavour: Flavour = GLIBC) -> None:
        self.root = root
        self.flavour = flavour

    def path(self, *names: str) -> str:
        """A list of directories below the root; absolute names and tokens stay as they are."""
        return ":".join(n if n.startswith(("/", "$")) else f"{self.root}/{n}" for n in names)

    def rpath(self, *names: str) -> str:
        return f"-Wl,-rpath,{self.path(*names)}"

    def library(
        self,
        name: str,
        needs: Sequence[str] = (),
        *,
        soname: str | None = None,
        flags: Sequence[str] = (),
        code: str = "",
    ) -> Path:
        """A shared library; its soname is its file's name, or none if `soname` is empty."""
        soname = name.rpartition("/")[2] if soname is None else soname
        named = [f"-Wl,-soname,{soname}"] if soname else []
        return self._compile(name, needs, ["-shared", "-fPIC", *named, *flags], code)

    def program(
        self, name: str, needs: Sequence[str] = (), *, flags: Sequence[str] = (), code: str = ""
    ) -> Path:
        return self._compile(name, needs, flags, code or "int main(void) { return 0; }")

    def _compile(self, name: str, needs: Sequence[str], flags: Sequence[str], code: str) -> Path:
        out = self.root / name
        out.parent.mkdir(parents=True, exist_ok=True)
        # Relative, for the linker's record of a library without soname is the path it was given.
        command = [self.flavour.compiler, "-o", name, "-x", "c", "-", "-x", "none", *flags]
        command += ["-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", *needs]
        done = subprocess.run(
            command, input=code, cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return out

    def copy(self, source: str, target: str) -> None:
        out = self.root / target
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.root / source, out)

    def link(self, name: str, target: str) -> None:
        out = self.root / name
        out.parent.mkdir(parents=True, exist_ok=True)
        out.symlink_to(target)

    def write(self, name: str, content: str | bytes) -> None:
        out = self.root / name
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content.encode() if isinstance(content, str) else content)

    def tree(self, *more: Member | str) -> FileTree:
        """The lab at its own place, with the C library of this host."""
        return tree_of([*self.members(), *more])

    def members(self) -> list[Member]:
        c_library = [
            file(path, Path(path).read_bytes(), mode=0o755)
            for path in self.flavour.files
            if Path(path).exists()
        ]
        return c_library + members_of(self.root, at=str(self.root))

    def links(
        self, program: str, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> LinkMap:
        """What minify says of a program."""
        tree = self.tree()
        directory_ = f"{self.root}/{cwd}" if cwd is not None else "/"
        return Loader(tree, env or {}, directory_).load(entry(tree, f"{self.root}/{program}"))

    def check(
        self,
        program: str,
        expected: Found,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """Asserts that minify and ld.so both find what is expected, of all but the C library."""
        ours = self.shown(self.links(program, env, cwd))
        assert ours == expected
        assert self.shown_by_ld_so(program, env, cwd) == expected

    def shown(self, links: LinkMap) -> Found:
        found: Found = {one.name: None for one in links.missing}
        found |= {one.name: self._relative(one.path) for one in links.objects}
        return {name: path for name, path in found.items() if not _C_LIBRARY.search(name)}

    def shown_by_ld_so(
        self, program: str, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> Found:
        """What ld.so lists for the program; it maps the objects and runs nothing of them."""
        traced = {"LD_TRACE_LOADED_OBJECTS": "1", **(env or {})}
        command = [str(self.root / program)]
        if self.flavour is MUSL:
            traced = dict(env or {})
            command = [MUSL.interpreter, "--list", *command]
        where = self.root / cwd if cwd is not None else Path("/")
        done = subprocess.run(
            command, env=traced, cwd=where, capture_output=True, text=True, check=False
        )
        found = listed(done.stdout + done.stderr)
        shown = {name: self._relative(path) if path else None for name, path in found.items()}
        return {name: path for name, path in shown.items() if not _C_LIBRARY.search(name)}

    def _relative(self, path: str) -> str:
        return path.removeprefix(f"{self.root}/")


_LISTED = re.compile(
    r"^\t(?:(\S+) => )?(\S+) \(0x[0-9a-f]+\)$|^\t(\S+) => not found$", re.MULTILINE
)
_MISSING = re.compile(
    r"(?:loading shared libraries|loading shared library):? (\S+?):", re.MULTILINE
)


def listed(text: str) -> Found:
    """The names and paths in what `ld.so --list` prints; a file that is no library is missing."""
    found: Found = {}
    for name, path, missing in _LISTED.findall(text):
        if missing:
            found[missing] = None
        else:
            found[name or path] = path
    for path in _MISSING.findall(text):
        found[path.rpartition("/")[2]] = None  # an error names the file at which it stopped
    return found


def members_of(root: Path, *, at: str) -> list[Member]:
    """All that is below a directory of the host, as members below `at`."""
    found = [directory(at)] if at.strip("/") else []
    for path in sorted(root.rglob("*")):
        name = f"{at}/{path.relative_to(root)}"
        if path.is_symlink():
            found.append(symlink(name, str(path.readlink())))
        elif path.is_dir():
            found.append(directory(name))
        elif path.is_file():
            found.append(file(name, path.read_bytes(), mode=path.stat().st_mode & 0o7777))
    return found


def entry(tree: FileTree, path: str) -> Entry:
    """The file that is there, links followed."""
    found = tree.resolve(path).entry
    assert found is not None, path
    return found
