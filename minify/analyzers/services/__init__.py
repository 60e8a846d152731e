"""Services by their configuration: what a known program reads, loads and starts.

`table` is the knowledge, an entry a program; `reading` follows its configuration from the command
line through its includes; `rule` yields what that names, and of its modules those that are enabled.
"""

from minify.analyzers.services.reading import Configuration, configuration, configurations
from minify.analyzers.services.rule import enabled_modules, find
from minify.analyzers.services.table import SERVICES, Service

__all__ = [
    "SERVICES",
    "Configuration",
    "Service",
    "configuration",
    "configurations",
    "enabled_modules",
    "find",
]
