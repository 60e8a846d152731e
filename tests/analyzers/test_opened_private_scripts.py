"""Shell scripts that the application has beside it: the binaries that they run."""

from __future__ import annotations

from closure.kit import left_out, planned, reasons
from filetree.kit import Member, Members, file

from analyzers.kit import calling, libc
from analyzers.test_data import dpkg
from minify.image.jsontext import Json
from minify.planning import Plan

HELPER = '#!/bin/sh\nset -e\n. "$(app --path)/functions"\nsed -n p | perl -e 1\ntool x\nnothing\n'
TOOLS: Members = [
    *libc(),
    *dpkg(app="/usr/bin/app /usr/lib/app", perl="/usr/bin/perl", other="/usr/lib/other/helper"),
    calling("puts", name="usr/bin/app"),
    *(calling("puts", name=name) for name in ("bin/sh", "bin/sed", "bin/uname", "usr/bin/perl")),
    file("usr/bin/tool", "#!/usr/bin/perl\n", mode=0o755),
]


def decided(*members: Member) -> Plan:
    run: dict[str, Json] = {
        "Cmd": ["/usr/bin/app"],
        "Env": ["PATH=/usr/bin:/bin", "X=/usr/lib/other/helper"],
    }
    return planned(run, [*TOOLS, *members])


def by_rule(plan: Plan) -> dict[str, str]:
    kept = {path: why for path, why in reasons(plan).items() if "script.private" in why}
    out = {f"[{path}]": why for path, why in left_out(plan).items() if "script.private" in why}
    return kept | out


def test_a_helper_brings_binaries_and_leaves_interpreters() -> None:
    helper = file("usr/lib/app/helper", HELPER, mode=0o755)
    functions = file("usr/lib/app/functions", "case $(uname -s) in *) ;; esac\n")
    assert by_rule(decided(helper, functions)) == {
        "/bin/sh": "script.private",
        "/usr/bin/app": "!config.cmd script.private",
        "/bin/sed": "script.private",
        "/bin/uname": "script.private",
        "[/usr/bin/perl]": "guessed script.private",
        "[/usr/bin/tool]": "guessed script.private",
    }


def test_what_another_package_has_is_not_followed() -> None:
    assert by_rule(decided(file("usr/lib/other/helper", HELPER, mode=0o755))) == {}
    data = file("usr/lib/app/helper", "sed", mode=0o755)
    assert by_rule(decided(data)) == {}
