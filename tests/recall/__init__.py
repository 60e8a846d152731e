"""What minify keeps of real programs, against what they really open.

Each program of `programs.PROGRAMS` has a root filesystem out of Debian packages and a demanding
workload. The workload runs on the whole tree, traced: the regular files that it opens or executes
are *needed*, and no smaller tree than these can do. Then minify makes its tree and the same
workload runs in that. *Recall* is how many of the needed files it kept.

    cd tests
    ../.venv/bin/python -m recall nginx                       # the minify of this checkout
    ../.venv/bin/python -m recall nginx --source ../../other  # of another one
    ../.venv/bin/python -m recall nginx --surplus             # what was kept and not needed, too

docs/recall.md has the table of all programs. The trees and what was traced on them are cached.
"""
