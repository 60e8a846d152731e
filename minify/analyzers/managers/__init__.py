"""Managers of processes: what supervisord, s6, runit, cron and their like start.

`table` says which program is a manager and where its jobs are, a module each reads one kind of
them. A job is a command line like ENTRYPOINT's: `following` finds its programs, scripts and needs
with the same code, and goes on to what these start, until nothing is new.
"""

from minify.analyzers.managers.following import Managed, find, managed

__all__ = ["Managed", "find", "managed"]
