r"""Shell scripts, read by a real parser and never run.

`parser` gives the syntax tree of a text (`syntax`), `walk` the commands that it may run under an
assumption about the user:

    script = parse(b'#!/bin/sh\nif [ "$(id -u)" = 0 ]; then exec gosu app "$0" "$@"; fi\nexec "$@"')
    [run.shown for run in walk(script, Surroundings(is_root=False)).runs]     # exec "$@"

A value of the script is known (`values.Known`), known unless somebody says otherwise (ENV, CMD), or
unknown; a condition is anything from never to surely true (`values.Likelihood`).
"""
