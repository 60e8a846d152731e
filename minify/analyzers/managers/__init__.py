"""Managers of processes: what supervisord, cron, runit, s6 and their like start.

Their configuration holds command lines, which count as ENTRYPOINT's do. Each becomes a line of a
shell text, so that the walk of scripts follows them, users, files and all.
"""

from minify.analyzers.managers.managed import Managed, managed, programs_of

__all__ = ["Managed", "managed", "programs_of"]
