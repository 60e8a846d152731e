"""Programs behind a web server: what is executable in a directory called `cgi-bin`.

No configuration names each of them, and they are started as surely as the server is: so their
interpreters are needed as the entrypoint's are. https://www.rfc-editor.org/rfc/rfc3875
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from minify.analyzers.started import started
from minify.closure import Context, Finding, Grade, Need, Reason
from minify.filetree import Kind

RULE = "cgi.program"

_DIRECTORIES = ("/cgi-bin/", "/fcgi-bin/")
_SERVERS = frozenset(
    """
    apache apache2-foreground apache2ctl apachectl boa fcgiwrap hiawatha httpd httpd-foreground
    lighttpd mini_httpd thttpd uhttpd
    """.split()
)
_MOST = 1000


def find(context: Context) -> Iterator[Finding]:
    """The application's programs in directories of that name, where a server is started."""
    server = next((one for one in started(context) if one.names & _SERVERS), None)
    if server is not None:
        reason = Reason(RULE, server.path, "is a web server, which starts what is in cgi-bin")
        for path in islice(_programs(context), _MOST):
            yield Need(path, reason, Grade.HARD)


def _programs(context: Context) -> Iterator[str]:
    for path, entry in sorted(context.tree.entries.items()):
        is_file = entry.kind is Kind.FILE and entry.is_executable
        if is_file and any(part in path for part in _DIRECTORIES) and context.is_first_party(path):
            yield path
