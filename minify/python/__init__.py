"""What a Python program is made of, by its imports: read and never run.

    installed = installation(tree, "/opt/venv/bin/python", config.env)    # where it looks
    finder = Finder(tree, installed.search_path(("/app",)))
    finder.find("numpy.linalg")                # a Module: its file, its kind, its directories
    imports_of(module, finder.source(module))  # names, with their lines and how sure they are
    graph = Graph(tree, finder, Distributions(tree, installed, packages), installed)
    graph.name("shop.wsgi", Origin("/usr/local/bin/gunicorn", "named by CMD"))
    graph.follow()
    graph.reached                              # every module, with the first that asked for it

A module is kept with the unit that it is part of: a distribution as pip or the system installed it,
a module or package of the standard library, the application. `graph` says which are reached and
why; what to keep of them is decided by whoever asks.
"""

from minify.python import standard_library
from minify.python.commands import Entry, EntryKind, entry_of
from minify.python.distributions import Distribution, Distributions
from minify.python.finder import Finder, Module, ModuleKind
from minify.python.graph import Graph
from minify.python.imports import Imported, Imports, Style, imports_of, in_source
from minify.python.layout import Installation, installation
from minify.python.mentions import Mentioned
from minify.python.reached import Origin, Reached

__all__ = [
    "Distribution",
    "Distributions",
    "Entry",
    "EntryKind",
    "Finder",
    "Graph",
    "Imported",
    "Imports",
    "Installation",
    "Mentioned",
    "Module",
    "ModuleKind",
    "Origin",
    "Reached",
    "Style",
    "entry_of",
    "imports_of",
    "in_source",
    "installation",
    "standard_library",
]
