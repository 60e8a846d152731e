"""What shell scripts need: a line of a script, and what is kept for it.

A kept path is as it is if it is surely needed, in brackets if it is only data; `?` begins a gap.
"""

from __future__ import annotations

import pytest
from closure.kit import gaps, planned, reasons
from filetree.kit import Member, directory, file

from minify.filetree import ImagePath
from minify.image.jsontext import Json

ALWAYS = ("parent", "skeleton.standard", "base.identity", "link")


def program(name: str) -> Member:
    return file(name, "\x7f", mode=0o755)


COMMANDS = "sh find xargs awk sed env su watch parallel tar start-stop-daemon curl".split()
IMAGE: list[Member | str] = [
    *(program(f"bin/{name}") for name in COMMANDS),
    *(program(f"usr/bin/{name}") for name in ("jq", "gzip", "date", "server")),
    program("opt/app/bin/tool"),
    program("opt/app/bin/run-web"),
    file("opt/app/lib/functions", 'fetch() { curl "$1"; }\n'),
    file("opt/app/hooks/10.sh", "jq .\n"),
    file("opt/app/conf/a.conf", "x"),
    file("opt/app/conf/b.conf", "x"),
    file("usr/share/server/server.template", "x"),
    file("usr/share/server/other.template", "x"),
    directory("initdb.d"),
]


def kept(text: str, cmd: tuple[str, ...] = (), **env: str) -> list[str]:
    """What a script keeps beside itself and its shell, and the gaps."""
    script = file("opt/app/run", f"#!/bin/sh\n{text}\n", mode=0o755)
    run: dict[str, Json] = {
        "Entrypoint": ["/opt/app/run"],
        "Cmd": list(cmd),
        "Env": ["PATH=/bin:/usr/bin", *(f"{name}={value}" for name, value in env.items())],
    }
    plan = planned(run, [*IMAGE, script])
    found = reasons(plan, without=(*ALWAYS, "app.directory"))
    ours = {p: why for p, why in found.items() if "script." in why and p != "/opt/app/run"}
    paths = [p if why[0] == "!" else f"({p})" for p, why in sorted(ours.items()) if p != "/bin/sh"]
    files = [p for p in paths if plan.keep.kept[ImagePath(p.strip("()"))] and p != "(/opt/app)"]
    return [*files, *(f"?{gap.partition(' ')[2].partition(' ')[2]}" for gap in gaps(plan))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if false; then jq; fi", ["/usr/bin/jq"]),
        ("never() { jq; }", ["/usr/bin/jq"]),
        ('run() { "$@"; }; run jq', ["/usr/bin/jq"]),
        ("never() { run; }; run() { jq; return 1; }", ["/usr/bin/jq"]),
        ('T=jq; "$T"', ["/usr/bin/jq"]),
        ('case $1 in a) T=jq;; b) T=curl;; esac; "$T"', ["/bin/curl", "/usr/bin/jq"]),
        ("PATH=/opt/app/bin:$PATH; tool", ["/opt/app/bin/tool"]),
        ("PATH=/opt/app/bin tool", ["/opt/app/bin/tool"]),
        ("cd /opt/app/bin; ./tool",
         ["(/opt/app/bin)", "(/opt/app/bin/run-web)", "/opt/app/bin/tool"]),
        ('"$APP/bin/tool"', ["/opt/app/bin/tool"]),
        ('"/opt/app/bin/run-$MODE"', ["/opt/app/bin/run-web"]),
        ("env PATH=/opt/app/bin tool", ["/bin/env", "/opt/app/bin/tool"]),
        ("env -S 'A=1 jq -r'", ["/bin/env", "/usr/bin/jq"]),
        ("find . -execdir jq {} \\; -o -ok curl {} +", ["/bin/curl", "/bin/find", "/usr/bin/jq"]),
        ("find . -exec sh -c 'jq \"$1\"' _ {} \\;", ["/bin/find", "/usr/bin/jq"]),
        ("xargs -n1 sh -c 'jq'", ["/bin/xargs", "/usr/bin/jq"]),
        ("awk 'BEGIN { system(\"jq .\") }'", ["/bin/awk", "/usr/bin/jq"]),
        ("awk '{ print | \"jq\" }'", ["/bin/awk", "/usr/bin/jq"]),
        ("awk '{ \"date +%s\" | getline x }'", ["/bin/awk", "/usr/bin/date"]),
        ("sed '1e jq -n'", ["/bin/sed", "/usr/bin/jq"]),
        ("sed 's/^x/date -d /e'", ["/bin/sed", "/usr/bin/date"]),
        ("su app -c 'jq .'", ["/bin/su", "/usr/bin/jq", "?"]),
        ("watch -n 5 'curl x | jq .'", ["/bin/curl", "/bin/watch", "/usr/bin/jq"]),
        ("parallel -j2 jq ::: a b", ["/bin/parallel", "/usr/bin/jq"]),
        ("trap 'jq .' EXIT", ["/usr/bin/jq"]),
        ('eval "jq $X"', ["/usr/bin/jq"]),
        ("sh -c \"jq '$X'\"", ["/usr/bin/jq"]),
        ("sh <<X\njq\nX", ["/usr/bin/jq"]),
        ("start-stop-daemon -S --exec /usr/bin/server -- x",
         ["/bin/start-stop-daemon", "/usr/bin/server"]),
        ("tar xzf x.tgz", ["/bin/tar", "/usr/bin/gzip"]),
        ('T=$(command -v jq || echo no); "$T"', ["/usr/bin/jq"]),
        ("local x=$(jq)", ["/usr/bin/jq"]),
        ("a[$(jq)]=1", ["/usr/bin/jq"]),
        ('"${x//$(jq)/}"', ["/usr/bin/jq", "?runs '${x…}', which is only known at run time"]),
    ],
)  # fmt: skip
def test_commands(text: str, expected: list[str]) -> None:
    found = kept(text)
    assert [one if not one.startswith("?") or len(expected[-1]) > 1 else "?" for one in found] == (
        expected
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (". /opt/app/lib/functions; fetch x", ["/bin/curl", "/opt/app/lib/functions"]),
        ('. "$(dirname "$0")/lib/functions"', ["/bin/curl", "/opt/app/lib/functions"]),
        ('. "$LIB/functions"', ["?reads '$LIB/functions', which is only known at run time"]),
        ('for f in /opt/app/hooks/*.sh; do . "$f"; done', ["/opt/app/hooks/10.sh", "/usr/bin/jq"]),
        ('for f in /initdb.d/*; do . "$f"; done', ["(/initdb.d)"]),
        ("sh /opt/app/hooks/10.sh", ["/opt/app/hooks/10.sh", "/usr/bin/jq"]),
        ("C=/opt/app/conf; : < $C/a.conf", ["(/opt/app/conf/a.conf)"]),
        (": < /opt/app/conf/$X.conf", ["(/opt/app/conf/a.conf)", "(/opt/app/conf/b.conf)"]),
        (": > /usr/share/server/server.$X", ["(/usr/share/server/server.template)"]),
        ("[ -f /usr/share/server/server.template ]", ["(/usr/share/server/server.template)"]),
        ("A=--x=/usr/share/server/server.template", ["(/usr/share/server/server.template)"]),
        ("X=$(</usr/share/server/server.template)", ["(/usr/share/server/server.template)"]),
        ("while read -r x; do :; done </usr/share/server/server.template",
         ["(/usr/share/server/server.template)"]),
        (": >/initdb.d/new", ["(/initdb.d)"]),
        ("F=/initdb.d/new; date | cat >$F", ["(/initdb.d)", "/usr/bin/date"]),
    ],
)  # fmt: skip
def test_files(text: str, expected: list[str]) -> None:
    assert kept(text) == expected


def test_what_the_configuration_gives_is_no_gap() -> None:
    assert kept('exec "$@"', ("server",)) == ["/usr/bin/server"]
    assert kept('"$TOOL" x', TOOL="jq") == ["/usr/bin/jq"]
    assert kept("$TOOL x") == ["?runs '$TOOL', which is only known at run time"]
    assert kept('"$1" x') == []


# More ways for what follows than are looked at: the command's own values come first.
_MANY_WAYS = """
case $1 in
    a) T=jq A=1 B=1 C=1;;
    b) T=curl A=2 B=2 C=2;;
    *) T=date A=3 B=3 C=3;;
esac
"$T" "$A" "$B" "$C"
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('T="$APP/bin/tool -q"; $T x', ["/opt/app/bin/tool"]),
        (_MANY_WAYS, ["/bin/curl", "/usr/bin/date", "/usr/bin/jq"]),
        ("if ! `chmod 1 $D`; then exit; fi", []),
        ("if ! `wget $D`; then exit; fi", ["?runs '$(wget $D)', which is only known at run time"]),
        ('. "$D/unknown"\nif [ -n "$FILTER" ]; then date | $FILTER; fi',
         ["/usr/bin/date", "?reads '$D/unknown', which is only known at run time"]),
        ("if $darwin; then jq; fi", ["/usr/bin/jq"]),
        ('for f; do case "$f" in *=*) eval $f;; esac; done', []),
    ],
)  # fmt: skip
def test_what_the_environment_may_add_is_no_gap(text: str, expected: list[str]) -> None:
    assert kept(text) == expected


def test_what_a_case_tells_apart_by_its_ending_is_read_as_that_only() -> None:
    members: list[Member | str] = [
        file("initdb.d/1.sql", "CREATE TABLE (\n"),
        file("initdb.d/2.sql.gz", "\0"),
        file("initdb.d/3.sh", "jq .\n"),
    ]
    text = 'read_all() { for f; do case "$f" in *.sh) . "$f";; *) date -f "$f";; esac; done; }\n'
    script = file("opt/app/run", f"#!/bin/sh\n{text}read_all /initdb.d/*\n", mode=0o755)
    plan = planned(
        {"Cmd": ["/opt/app/run"], "Env": ["PATH=/bin:/usr/bin"]}, [*IMAGE, *members, script]
    )
    assert gaps(plan) == []
    found = reasons(plan)
    assert found["/usr/bin/jq"].startswith("!script.command")
    assert "/initdb.d/1.sql" in found
    assert "/initdb.d/2.sql.gz" in found


def test_a_reason_names_the_line_where_the_command_stands() -> None:
    script = file("opt/app/run", "#!/bin/sh\n. /opt/app/lib/functions\nfetch x\n", mode=0o755)
    plan = planned({"Cmd": ["/opt/app/run"], "Env": ["PATH=/bin"]}, [*IMAGE, script])
    [reason] = plan.keep.kept[ImagePath("/bin/curl")].reasons
    assert (reason.by, reason.detail) == (
        "/opt/app/lib/functions", "/opt/app/lib/functions:1 runs curl"
    )  # fmt: skip


def test_a_reason_is_in_the_line_that_says_it_and_not_where_it_is_passed_on() -> None:
    wrapper = file("bin/wrapper", '#!/bin/sh\nexec jq "$@"\n', mode=0o755)
    text = "#!/bin/sh\nfalse &&\n    DATA=/opt/app/conf/b.conf\nwrapper /opt/app/conf/a.conf\n"
    run = file("opt/app/run", text, mode=0o755)
    env: dict[str, Json] = {"Cmd": ["/opt/app/run"], "Env": ["PATH=/bin:/usr/bin"]}
    plan = planned(env, [*IMAGE, wrapper, run])
    found = {
        reason.detail
        for name in ("a", "b")
        for reason in plan.keep.kept[ImagePath(f"/opt/app/conf/{name}.conf")].reasons
        if reason.rule.startswith("script.")
    }
    assert found == {
        "/opt/app/run:3 names /opt/app/conf/b.conf",
        "/opt/app/run:4 names /opt/app/conf/a.conf",
    }


def test_a_script_that_cannot_be_read_keeps_what_its_words_name() -> None:
    found = kept("if then jq; fi ((")
    assert found[0] == "/usr/bin/jq"
    assert all("cannot be read as a shell script" in gap for gap in found[1:])
