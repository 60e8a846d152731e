"""Shell scripts, read by a real parser and never run.

`parse` gives the syntax tree of a text, `walk` the commands that it may run under an assumption
about the user:

    script = parse(text)             # if [ "$(id -u)" = 0 ]; then exec gosu app "$@"; fi; exec "$@"
    walk(script, Surroundings(is_root=False)).runs         # of the two, `exec "$@"` alone

A value of the script is known (`values.Known`), known unless somebody says otherwise (ENV, CMD), or
unknown; a condition is anything from never to surely true (`values.Likelihood`).
"""

from minify.shell.parser import ShellError, parse
from minify.shell.run import Called, Ending, Finder, Redirected, Run, Surroundings, Walk
from minify.shell.survey import Named, Survey, survey
from minify.shell.syntax import Script
from minify.shell.values import Likelihood, Source, Value
from minify.shell.walk import walk

__all__ = [
    "Called",
    "Ending",
    "Finder",
    "Likelihood",
    "Named",
    "Redirected",
    "Run",
    "Script",
    "ShellError",
    "Source",
    "Surroundings",
    "Survey",
    "Value",
    "Walk",
    "parse",
    "survey",
    "walk",
]
