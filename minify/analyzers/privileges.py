"""Who a shell script becomes, what it cannot do without root, and what it writes.

`find` walks from the configuration's command line into the scripts that it starts, as root and as
another user: what surely happens there counts. `analyze` looks at every script that is surely kept,
for the accounts and the files that it names; how it is called is not known there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from minify.analyzers.accounts import GROUP, PASSWD
from minify.analyzers.drops import BECOMES, MANAGES
from minify.analyzers.shellwrites import fails_unwritten, places
from minify.analyzers.walks import configuration_walks, walks
from minify.closure import (
    CONFIG,
    Context,
    Finding,
    Gap,
    Grade,
    Need,
    NeedsRoot,
    Reason,
    RunsAs,
    Writes,
    Written,
)
from minify.closure import places as places_of_everybody
from minify.closure.commandline import (
    SWITCHES,
    called,
    inner_command,
    user_switch,
    without_user_switch,
)
from minify.closure.shellfiles import is_shell_script, syntax_tree
from minify.filetree import Entry
from minify.filetree.path import decoded
from minify.shell import (
    Ending,
    Likelihood,
    Run,
    ShellError,
    Source,
    Value,
    Walk,
)
from minify.shell.parser import LARGEST

WRITES_OR_ENDS = "script.writes-or-ends"
"""The rule of what is written to and without which the program does not even start."""

_LARGEST_ACCOUNTS = 1 << 20
_MOST_HEADS = 16
_GOES_ON = frozenset((Ending.EXEC, Ending.LAST, Ending.BACKGROUND))

_ONLY_ROOT = frozenset(
    """
    addgroup adduser apk apt apt-get chpasswd chroot delgroup deluser dnf groupadd groupdel groupmod
    insmod invoke-rc.d ip6tables iptables losetup microdnf mknod modprobe mount nft rc-service
    service setcap swapoff swapon systemctl umount useradd userdel usermod yum
    """.split()
)
"""Commands that no other user can use. `passwd` and `ip` can be asked something by anybody."""

# A script may call something else of its own by the name of one of these.
_DAEMONS = (BECOMES.keys() | MANAGES.keys()) - {"init", "login", "master"}
_INIT_SCRIPTS = "/etc/init.d/"

_IP_CHANGES = frozenset("add append change del delete flush replace set".split())
_NAMING = frozenset("chown chgrp id getent usermod useradd install find groupmod".split())


def find(context: Context) -> Iterator[Finding]:
    """What the configuration's command does about users, through the scripts that it starts."""
    argv = context.config.argv
    if not argv:
        return
    configured = configuration_walks(context)
    as_root, as_other = configured.as_root, configured.as_other
    yield from _accounts_gone_on_as(as_root)
    yield from _obstacles(as_root, as_other, argv)
    for walked in (as_root, as_other):
        yield from _written(walked, context)
    yield from _written_or_ended(as_other)
    for path, error in configured.unread.items():
        yield from _unread(path, error.line, error.what, context)
    if trouble := as_root.trouble or as_other.trouble:
        reason = Reason("script.unread", CONFIG, f"{' '.join(argv)}: {trouble}")
        yield NeedsRoot(reason)
        yield Gap(reason, "say who it shall run as with --user")


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    """The accounts and files that a script names which is surely kept, whoever calls it how."""
    if grade is not Grade.HARD:
        return
    if not is_shell_script(entry, context):
        return
    script = syntax_tree(entry, context)
    if script is None:
        return
    if isinstance(script, ShellError):
        detail = f"{entry.path}:{script.line} cannot be read as a shell script: {script.what}"
        yield Gap(Reason("script.unread", entry.path, detail), "say what it writes with --writable")
        return
    names = _names(context)
    # What it starts is looked at by itself.
    for walked in walks(script, entry.path, None, context, None):
        for run in walked.runs:
            yield from _named(run, names)
        yield from _written(walked, context)


def _reason(run: Run, rule: str, what: str) -> Reason:
    """`/entrypoint.sh:12 runs gosu`; of the configuration's own command line there is no line."""
    if run.path == CONFIG:
        return Reason(rule.replace("script.", "config."), CONFIG, f"the command {what}")
    return Reason(rule, run.path, f"{run.path}:{run.line} {what}")


def _accounts_gone_on_as(walked: Walk) -> Iterator[RunsAs]:
    """The accounts as which the program goes on when it starts as root: HARD, if it is likely."""
    ends: list[tuple[Likelihood, RunsAs]] = []
    for run in walked.runs:
        switch = user_switch(run.texts)
        if switch is None or not switch[1] or switch[1] in ("root", "0"):
            continue
        reason = _reason(run, "script.user", f"runs {switch[0]} {switch[1]}")
        if run.ending in _GOES_ON:
            ends.append((run.likelihood, RunsAs(switch[1], reason, Grade.HARD)))
        else:
            yield RunsAs(switch[1], reason)
    likeliest = max((likelihood for likelihood, _ in ends), default=Likelihood.NEVER)
    for likelihood, found in ends:
        yield found if likelihood == likeliest else replace(found, grade=Grade.SOFT)


def _is_start(run: Run, argv: Sequence[str]) -> bool:
    """Whether it is the configuration's command line itself."""
    return run.path == CONFIG and run.texts == tuple(argv)


def _obstacles(as_root: Walk, as_other: Walk, argv: Sequence[str]) -> Iterator[NeedsRoot]:
    """What surely fails when it is not root that runs the command."""
    found = [
        *_exits(as_root, as_other),
        *(
            obstacle
            for run in as_other.runs
            if run.likelihood >= Likelihood.USUALLY and not run.is_tolerated
            for obstacle in _obstacle(run, argv)
        ),
    ]
    yield from found or _nothing_left(as_root, as_other, argv)


def _exits(as_root: Walk, as_other: Walk) -> Iterator[NeedsRoot]:
    """Where a script ends as a failure unless it is root that runs it."""
    as_root_too = {(run.path, run.line) for run in as_root.runs if _fails(run)}
    for run in as_other.runs:
        if _fails(run) and (run.path, run.line) not in as_root_too:
            yield NeedsRoot(_reason(run, "script.root", f"ends with {run.shown} unless it is root"))


def _fails(run: Run) -> bool:
    is_likely = run.ending is Ending.EXIT and run.likelihood >= Likelihood.USUALLY
    return is_likely and run.texts[1:] not in ((), ("0",))


def _nothing_left(as_root: Walk, as_other: Walk, argv: Sequence[str]) -> Iterator[NeedsRoot]:
    """A script that goes on to run something as root, and ends with nothing as anybody else."""
    goes_on = [run for run in as_root.runs if run.ending is Ending.EXEC]
    sure = [run for run in goes_on if run.likelihood >= Likelihood.USUALLY][1:]
    if sure and not any(_goes_on(run) for run in as_other.runs if not _is_start(run, argv)):
        what = f"goes on to run {sure[-1].shown!r} only as root"
        yield NeedsRoot(_reason(sure[-1], "script.root", what))


def _goes_on(run: Run) -> bool:
    return run.ending in _GOES_ON and bool(run.words)


def _obstacle(run: Run, argv: Sequence[str]) -> Iterator[NeedsRoot]:
    switch = user_switch(run.texts)
    if _is_start(run, argv):
        # Which of the configuration's own programs need root whatever they are told: `logins`.
        if switch is not None and switch[1] not in ("", "root", "0"):
            found = without_user_switch(argv)
            reason = _reason(run, "script.root", f"runs {switch[0]}, which only root can")
            yield NeedsRoot(reason, found.account if found else "")
        return
    words = _inner(run.words)
    name = called(words[0].text or "") if words else ""
    if switch is not None:
        yield _only_root(run, switch[0])
    elif words and words[0].beginning.startswith(_INIT_SCRIPTS):
        yield _only_root(run, words[0].shown)
    elif name in _ONLY_ROOT | _DAEMONS or _changes_kernel(name, [w.text for w in words[1:]]):
        yield _only_root(run, name)
    elif run.stops:
        yield from _given_away(run, name, words[1:])


def _only_root(run: Run, name: str) -> NeedsRoot:
    return NeedsRoot(_reason(run, "script.root", f"runs {name}, which only root can"))


def _changes_kernel(name: str, texts: Sequence[str | None]) -> bool:
    """Whether `sysctl` or `ip` is called to change something."""
    if name == "sysctl":
        return any(text is not None and ("=" in text or text == "-w") for text in texts)
    return name == "ip" and any(text in _IP_CHANGES for text in texts)


def _given_away(run: Run, name: str, words: Sequence[Value]) -> Iterator[NeedsRoot]:
    """`chown` to another: nobody but root can, though to oneself it succeeds on one's own files."""
    if name == "find":
        for at, word in enumerate(words):
            if word.text in ("chown", "chgrp"):
                name, words = word.text, words[at + 1 :]
                break
    owner = _owner(name, words)
    if owner is None or owner.source in (Source.USER, Source.LIST):
        return
    if owner.shown.startswith("$(id"):
        return  # to oneself
    account = f":{owner.shown}" if name == "chgrp" else owner.shown
    what = f"runs {name} to {account}, which is another's without root"
    yield NeedsRoot(
        _reason(run, "script.root", what), account.removesuffix(":") if owner.text else ""
    )


def _owner(name: str, words: Sequence[Value]) -> Value | None:
    """The owner that a command gives files to; None if it is none of those."""
    if name in ("chown", "chgrp"):
        if any(word.beginning.startswith("--reference") for word in words):
            return None
        return next((word for word in words if not word.beginning.startswith("-")), None)
    if name == "install":
        pairs = pairwise(words)
        return next((value for option, value in pairs if option.text in ("-o", "--owner")), None)
    return None


def _inner(words: tuple[Value, ...]) -> tuple[Value, ...]:
    """The command behind heads, switches of the user among them."""
    for _ in range(_MOST_HEADS):
        texts = [word.text if word.text is not None else "?" for word in words]
        name = called(texts[0]) if texts else ""
        inner = inner_command(name, texts[1:])
        if not inner or name == "chroot" or tuple(texts[-len(inner) :]) != inner:
            break
        words = words[-len(inner) :]
    return words


def _written(walked: Walk, context: Context) -> Iterator[Finding]:
    """What the script writes; what of it is there already stays, for it is written for a use."""
    for run in walked.runs:
        plain = replace(run, words=_inner(run.words))
        for path, what in dict.fromkeys(places(plain)):
            reason = _reason(run, "script.writes", f"writes {path}: {_short(plain)}")
            yield Writes(path, reason, what)
            if context.tree.file(path) is not None and run.name != "rm":
                yield Need(path, reason)
            elif what is Written.TREE and _is_own(path, context):
                yield Need(path, reason, whole_tree=True)
            elif what is not Written.TREE and context.tree.directory(posixpath.dirname(path)):
                # A file that is to be made needs a directory, be it empty.
                yield Need(posixpath.dirname(path), reason)


def _is_own(path: str, context: Context) -> bool:
    directory = context.tree.directory(path)
    if directory is None or places_of_everybody.is_shared(directory.path, context.tree):
        return False
    return context.is_first_party(directory.path)


def _written_or_ended(as_other: Walk) -> Iterator[Writes]:
    """What a script surely ends without being able to write to, whoever runs it."""
    for run in as_other.runs:
        plain = replace(run, words=_inner(run.words))
        if run.stops and run.likelihood >= Likelihood.USUALLY and fails_unwritten(plain):
            for path, what in dict.fromkeys(places(plain)):
                said = f"writes {path} or ends: {_short(plain)}"
                yield Writes(path, _reason(run, WRITES_OR_ENDS, said), what)


def _short(run: Run) -> str:
    text = run.shown or " ".join(f"{one.operator} {one.target.shown}" for one in run.redirections)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _named(run: Run, names: frozenset[str]) -> Iterator[RunsAs]:
    """Accounts that a command names: operands of `chown` and the like, or words that are names."""
    words = _inner(run.words)
    name = called(words[0].text or "") if words else ""
    accounts: dict[str, None] = {}
    for word in run.words[1:]:
        text = word.text or ""
        accounts.update(dict.fromkeys(part for part in text.split(":") if part in names))
    if name == "find" and "-exec" in [word.text for word in words]:
        name = "chown"
    if name in SWITCHES | _NAMING and (switch := user_switch(run.texts)) and switch[1]:
        accounts[switch[1]] = None
    for account in accounts:
        if account != "root":
            what = f"names {account}: {_short(run)}"
            yield RunsAs(account, _reason(run, "script.account", what))


def _names(context: Context) -> frozenset[str]:
    """The names in the image's account files."""
    files = filter(None, map(context.tree.file, (PASSWD, GROUP)))
    lines = (
        line for file in files for line in context.tree.read(file, _LARGEST_ACCOUNTS).split(b"\n")
    )
    return frozenset(decoded(line.partition(b":")[0]) for line in lines) - {""}


def _unread(path: str, line: int, what: str, context: Context) -> Iterator[NeedsRoot]:
    """A script that cannot be parsed: if it has a word for a change of user, root is kept."""
    entry = context.tree.file(path)
    text = decoded(context.tree.read(entry, LARGEST)) if entry else ""
    words: Iterable[str] = set(text.replace("/", " ").split())
    found = sorted((SWITCHES | {"chown", "chroot"}).intersection(words))
    if found:
        detail = (
            f"{path}:{line} cannot be read as a shell script ({what}) and has the word {found[0]}"
        )
        yield NeedsRoot(Reason("script.unread", path, detail))
