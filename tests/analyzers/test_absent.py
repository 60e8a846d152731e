"""A program that the start script becomes has to be there."""

import pytest
from closure.kit import planned
from filetree.kit import file

SCRIPT = '#!/bin/sh\n[ "${1#-}" = "$1" ] || set -- server "$@"\nexec gosu app "$@"\n'
THERE = ("bin/sh", "bin/gosu", "bin/server")


@pytest.mark.parametrize(
    ("cmd", "said"),
    [
        (["server", "-x"], []),
        (["-x"], []),
        (["/mounted/server"], []),
        (["sever"], ["becomes sever, which the image does not have — close to it: /bin/server"]),
        (
            ["zzz"],
            ["becomes zzz, which the image does not have — say with --cmd what it shall run"],
        ),
    ],
)
def test_what_a_script_becomes_is_missed(cmd: list[str], said: list[str]) -> None:
    members = [file("run.sh", SCRIPT, mode=0o755)]
    members += [file(name, "\x7f", mode=0o755) for name in THERE]
    plan = planned({"Entrypoint": ["/run.sh"], "Cmd": [*cmd], "Env": ["PATH=/bin"]}, members)
    gaps = [gap for gap in plan.keep.gaps if gap.reason.rule == "script.absent"]
    assert [f"{gap.reason.detail} — {gap.hint}" for gap in gaps] == [
        f"/run.sh:3 {one}" for one in said
    ]
