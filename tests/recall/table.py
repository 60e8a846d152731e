"""The table of what was measured, and what is wrong with one program: text."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from recall.measure import Measurement

HEAD = (
    "| program | fat MB | ideal MB (files) | slim MB (files) | recall % | run | slim ÷ ideal "
    "| missed |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
)

_MB = 1 << 20
_SHOWN = 3
_LISTED = 30

KINDS = (
    ("*/locale/*/LC_MESSAGES/*", "messages of LANG"),
    ("/usr/lib/locale/*", "locales"),
    ("*/gconv/*", "gconv modules"),
    ("/usr/share/zoneinfo/*", "zones"),
    ("/etc/localtime", "zones"),
    ("*/terminfo/*", "terminfo"),
    ("*/magic", "libmagic's data"),
    ("*/magic.m*", "libmagic's data"),
    ("*/font*", "fonts"),
    ("/etc/ssl/*", "OpenSSL"),
    ("/usr/lib/ssl/*", "OpenSSL"),
    ("/usr/share/ca-certificates/*", "authorities"),
    ("/usr/local/share/ca-certificates/*", "authorities"),
    ("/etc/pam.d/*", "PAM"),
    ("/etc/security/*", "PAM"),
    ("*/security/pam_*", "PAM"),
    ("/home/*", "homes"),
    ("/root/*", "homes"),
    ("/etc/*", "configuration"),
    ("*/libnss_*", "NSS"),
    ("*/bin/*", "a program that is started"),
    ("*/sbin/*", "a program that is started"),
    ("*.so", "a plug-in, or opened by name"),
    ("*.so.*", "opened by name"),
    ("/usr/libexec/*", "a program that is started"),
    ("/usr/lib/*", "private files of a package"),
    ("/usr/share/*", "data of a package"),
    ("*", "other"),
)
"""What a missed file is, hence which rule should have kept it; the first pattern counts."""


def row(measured: Measurement) -> str:
    ideal = measured.needed_size / _MB
    cells = [
        measured.program.name,
        f"{measured.fat_size / _MB:.1f}",
        f"{ideal:.1f} ({len(measured.needed)})",
    ]
    slim = measured.slim
    if slim is None:
        return f"| {' | '.join([*cells, '', '', '', '', f'refused: {measured.refusal}'])} |\n"
    missed = [f"`{name}`" for name in slim.missed[:_SHOWN]]
    if len(slim.missed) > _SHOWN:
        missed.append(f"{len(slim.missed) - _SHOWN} more")
    cells += [
        f"{slim.size / _MB:.1f} ({slim.count})",
        # 99.96 is not 100.
        f"{int(measured.recall * 1000) / 10:.1f}",
        f"{measured.passed}/{measured.checks}",
        f"{slim.size / _MB / ideal:.2f}",
        ", ".join(missed),
    ]
    return f"| {' | '.join(cells)} |\n"


def missed_by_kind(missed: Sequence[str]) -> str:
    """A line for each kind of file, with its names below it."""
    groups: dict[str, list[str]] = {}
    for name in missed:
        kind = next(kind for pattern, kind in KINDS if fnmatchcase(name, pattern))
        groups.setdefault(kind, []).append(name)
    lines = []
    for kind, names in sorted(groups.items()):
        lines.append(f"  {kind}: {len(names)}")
        lines += [f"    {name}" for name in names[:_LISTED]]
        if len(names) > _LISTED:
            lines.append(f"    … {names[-1]}")
    return "".join(f"{line}\n" for line in lines)


def surplus(measured: Measurement) -> str:
    """What was kept and not needed, by rule, the largest first."""
    rows = measured.slim.surplus if measured.slim else ()
    lines = [f"  {one.size / _MB:6.2f} MB  {one.count:5} files  {one.rule}\n" for one in rows]
    return f"{measured.program.name}: kept and not needed\n{''.join(lines)}" if lines else ""


def details(measured: Measurement) -> str:
    """Everything that is wrong; empty if nothing is."""
    slim = measured.slim
    if slim is None:
        return f"{measured.program.name}: refused: {measured.refusal}\n"
    text = ""
    if slim.missed:
        text += f"{measured.program.name}: {len(slim.missed)} files missed\n"
        text += missed_by_kind(slim.missed)
    for check in slim.checks:
        if not check.passed:
            text += f"{measured.program.name}: check {check.name} failed:\n"
            text += "".join(f"    {line}\n" for line in check.output.strip().splitlines()[-8:])
    return text
