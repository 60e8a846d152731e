"""The imports of a syntax tree, and the constants in it that may name modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from minify.python.lines import absolute

_LISTERS = frozenset("iter_modules walk_packages".split())
IMPORTERS = _LISTERS | frozenset(
    """
    __import__ find_spec import_by_path import_class import_from_string import_item import_module
    import_name import_object import_string lazy_import load_class load_module load_object locate
    maybe_import module_available pymodule_from_string resolve_name run_module symbol_by_name
    try_import import_optional_dependency importorskip LazyLoader
    """.split()
)
"""Functions that import what their first argument names, by their last name, or list modules."""

# Those among them whose argument is often something else, so that an unknown one says nothing.
_PERHAPS = frozenset(
    "find_spec lazy_import load_class load_module load_object locate maybe_import try_import"
    " module_available importorskip LazyLoader import_item import_name resolve_name".split()
)
_STARTERS = frozenset("Popen check_call check_output create_subprocess_exec getoutput".split())
LIBRARY = re.compile(r"[\w.+-]{1,80}")
"""What a library may be called that find_library looks for."""
_NEVER_HERE = frozenset(("win32", "darwin", "cygwin", "nt", "java", "wasi", "emscripten", "ios"))
_LONGEST = 200
_COMMAND = re.compile(r"[\w./+-]{1,200}+(?:\Z|\s)")
_MOST_TEXTS = 20_000
_MOST_NODES = 2_000_000


class Reader:
    """Goes through one tree; what it has found is complete after `read`."""

    def __init__(self, package: str, *, is_main: bool) -> None:
        self._package = package
        self._is_main = is_main
        self.names: list[tuple[str, int, bool, bool]] = []
        """The absolute name, its line, whether it is nested, whether all below it is meant."""
        self.texts: list[tuple[str, int]] = []
        self.unknown: list[int] = []
        self.exported: list[str] = []
        self.libraries: list[str] = []
        self.seeks_by_variable = False
        self.runs: list[int] = []
        self.programs: list[str] = []

    def read(self, tree: ast.Module) -> None:
        # A stack of its own: what the parser could nest, recursion here might not follow.
        stack: list[tuple[ast.AST, bool]] = [(node, False) for node in reversed(tree.body)]
        left = _MOST_NODES
        while stack and left:
            left -= 1
            node, is_nested = stack.pop()
            inner = is_nested or not isinstance(node, ast.ClassDef | ast.Expr | ast.Assign)
            self._node(node, is_nested=is_nested)
            stack += [(part, inner) for part in reversed(list(self._parts(node)))]

    def _parts(self, node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.If):
            body, orelse = self._branches(node)
            yield from body
            yield from orelse
            if not isinstance(node.test, ast.Name | ast.Attribute):
                yield node.test
            return
        yield from ast.iter_child_nodes(node)

    def _branches(self, node: ast.If) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """The branches that may run on Linux, in a program that is not being type-checked."""
        test = node.test
        if isinstance(test, ast.Name | ast.Attribute) and _last(test) == "TYPE_CHECKING":
            return [], node.orelse
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            other = test.comparators[0]
            value = other.value if isinstance(other, ast.Constant) else None
            left = _last(test.left)
            is_equal = isinstance(test.ops[0], ast.Eq)
            if left == "__name__" and value == "__main__" and is_equal and not self._is_main:
                return [], node.orelse
            if value in _NEVER_HERE and left in ("platform", "name"):
                if is_equal:
                    return [], node.orelse
                if isinstance(test.ops[0], ast.NotEq):
                    return node.body, []
        return node.body, node.orelse

    def _node(self, node: ast.AST, *, is_nested: bool) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    self._add(alias.name, node.lineno, is_nested=is_nested)
            case ast.ImportFrom():
                self._from(node, is_nested=is_nested)
            case ast.Call():
                self._call(node)
            case ast.Constant(value=str() as text):
                if 1 < len(text) <= _LONGEST and " " not in text and len(self.texts) < _MOST_TEXTS:
                    self.texts.append((text, node.lineno))
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign():
                self._exports(node)
            case ast.List() | ast.Tuple():
                self._words(node)

    def _from(self, node: ast.ImportFrom, *, is_nested: bool) -> None:
        base = absolute(node.module or "", node.level, self._package)
        if not base:
            return
        self._add(base, node.lineno, is_nested=is_nested)
        for alias in node.names:
            if alias.name != "*":
                self._add(f"{base}.{alias.name}", node.lineno, is_nested=is_nested)

    def _call(self, node: ast.Call) -> None:
        function = _last(node.func)
        if _starts_a_program(node.func):
            self.runs.append(node.lineno)
            self.programs += _program(node.args)
        if function == "find_library":
            self._sought(node)
        if function in _LISTERS:
            self.unknown.append(node.lineno)
            return
        if function not in IMPORTERS:
            return
        arguments = [*node.args, *(k.value for k in node.keywords if k.arg in ("name", "module"))]
        argument = arguments[0] if arguments else None
        text, is_whole = _beginning(argument) if argument is not None else ("", False)
        level = len(text) - len(text.lstrip("."))
        name = absolute(text.lstrip(".").partition(":")[0], level, self._package) if text else ""
        if is_whole and name:
            self._add(name, node.lineno, is_nested=True)
        elif "." in text and name.rpartition(".")[0] and not is_whole:
            self.names.append((name.rpartition(".")[0], node.lineno, True, True))
        elif not is_whole and level and self._package:
            self.names.append((self._package, node.lineno, True, True))
        elif function not in _PERHAPS:
            self.unknown.append(node.lineno)

    def _words(self, node: ast.List | ast.Tuple) -> None:
        """The module of a command: `[sys.executable, "-m", "http.server"]`."""
        for option, name in pairwise(node.elts):
            if isinstance(option, ast.Constant) and option.value == "-m":
                text, is_whole = _beginning(name)
                for module in (text, f"{text}.__main__") if is_whole and text else ():
                    self._add(module, node.lineno, is_nested=True)

    def _sought(self, node: ast.Call) -> None:
        for argument in node.args[:1]:
            text, is_whole = _beginning(argument)
            self.seeks_by_variable |= not is_whole
            if is_whole and LIBRARY.fullmatch(text):
                self.libraries.append(text)
                self.texts.append((text, node.lineno))

    def _exports(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is None or not any(_last(target) == "__all__" for target in targets):
            return
        self.exported += (
            item.value
            for item in ast.walk(node.value)
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        )

    def _add(self, name: str, line: int, *, is_nested: bool) -> None:
        self.names.append((name, line, is_nested, False))


def _starts_a_program(function: ast.expr) -> bool:
    """Whether a call starts another program, by the function's name and its module's."""
    name = _last(function)
    if isinstance(function, ast.Attribute):
        module = _last(function.value)
        if module == "os":
            return name in ("system", "popen") or name.startswith(("exec", "spawn", "posix_spawn"))
        return module == "subprocess" or name.startswith("create_subprocess_")
    return name in _STARTERS


def _program(arguments: Sequence[ast.expr]) -> list[str]:
    """The first word of a command: of a list, of a text for a shell, or by itself."""
    first = arguments[0] if arguments else None
    if isinstance(first, ast.List | ast.Tuple):
        first = first.elts[0] if first.elts else None
    text, _ = _beginning(first) if first is not None else ("", False)
    return text.split()[:1] if _COMMAND.match(text) else []


def _last(node: ast.AST) -> str:
    """The last name of `a.b.c`; empty for what is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _beginning(node: ast.AST) -> tuple[str, bool]:
    """What a text begins with, and whether that is all of it."""
    match node:
        case ast.Constant(value=str() as text):
            return text, True
        case ast.JoinedStr(values=[ast.Constant(value=str() as text), *_]):
            return text, False
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Add()):
            return text, False
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod()):
            return text.partition("%")[0], False
        case ast.BinOp(left=ast.BinOp() as left, op=ast.Add()):
            return _beginning(left.left)[0], False
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format")):
            return text.partition("{")[0], False
    return "", False
