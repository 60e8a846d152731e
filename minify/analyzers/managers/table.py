"""Which programs are managers, and who reads their jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from minify.analyzers.managers import configured, directories, initscripts, makefiles, timed
from minify.analyzers.managers.job import Job
from minify.analyzers.services import SERVICES
from minify.analyzers.started import Started
from minify.closure import Context

Reader = Callable[[str, Started, Context], Iterator[Job]]
"""The jobs of a program that was started by a name."""

MANAGERS: Mapping[str, Reader] = {
    **{name: configured.wrapper for name, service in SERVICES.items() if service.programs},
    "anacron": timed.cron,
    "circusd": configured.supervisor,
    "cron": timed.cron,
    "crond": timed.cron,
    "fcron": timed.cron,
    "forego": configured.procfile,
    "foreman": configured.procfile,
    "goreman": configured.procfile,
    "gmake": makefiles.recipes,
    "hivemind": configured.procfile,
    "honcho": configured.procfile,
    "inetd": configured.inetd,
    # Only an entrypoint is called so; a real init is refused.
    "init": directories.overlay,
    "invoke-rc.d": initscripts.service,
    "make": makefiles.recipes,
    "monit": configured.monit,
    "multirun": configured.arguments,
    "my_init": directories.my_init,
    "openbsd-inetd": configured.inetd,
    "overmind": configured.procfile,
    "rc-service": initscripts.service,
    "runit": directories.services,
    "runsv": directories.services,
    "runsvdir": directories.services,
    "runsvdir-start": directories.services,
    "s6-svscan": directories.services,
    "s6-supervise": directories.services,
    "service": initscripts.service,
    "start-stop-daemon": initscripts.daemon,
    "supercronic": timed.of_file,
    "supervise": directories.services,
    "supervisord": configured.supervisor,
    "svscan": directories.services,
    "svscanboot": directories.services,
    "xinetd": configured.xinetd,
}
"""By `plain_name`."""
