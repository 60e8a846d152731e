"""The command line: argv in, text and an exit code out. It decides nothing.

`process` runs one command and turns what happened into an exit code, `default` and `why` are the
commands, `shaping` has the options that both know, `headings` puts a help page in order.

    minify IMAGE -o OUTPUT …       the default command, options first or last
    minify why IMAGE PATH…         a command word counts as the very first argument only

A new command is a module here and a line in `default`'s `others`.
"""

from minify.cli.process import main

__all__ = ["main"]
