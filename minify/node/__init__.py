"""What a Node program is made of, by what its modules ask for: read and never run.

    resolver = Resolver(tree)
    resolver.resolve("express", "/app", Style.REQUIRE)     # the file, and the path by which
    requests_of(b'const x = require("express")')           # names, with their lines
    graph = Graph(tree, resolver, Machine("x64", "glibc"), ("/app",))
    graph.name("/app/server.js", "/app", Origin("", "named by CMD"))
    graph.follow()
    graph.packages                                         # every package, and who asked first

A package of `node_modules` is kept or left whole, without the packages that are installed in it.
`graph` says which are reached and why; what to keep of them is decided by whoever asks.
"""

from minify.node.commands import Entry, entry_of, entry_of_options, is_node
from minify.node.graph import Graph
from minify.node.knowledge import PACKAGE_MANAGERS
from minify.node.managers import Task, task_of
from minify.node.manifest import Manifest
from minify.node.origin import Origin
from minify.node.packages import Package, Packages
from minify.node.platform import CPUS, Machine
from minify.node.requires import Request, Requests, Style, requests_of
from minify.node.resolution import Resolved, Resolver

__all__ = [
    "CPUS",
    "PACKAGE_MANAGERS",
    "Entry",
    "Graph",
    "Machine",
    "Manifest",
    "Origin",
    "Package",
    "Packages",
    "Request",
    "Requests",
    "Resolved",
    "Resolver",
    "Style",
    "Task",
    "entry_of",
    "entry_of_options",
    "is_node",
    "requests_of",
    "task_of",
]
