"""How an image is run beside what a case mounts itself."""

from __future__ import annotations

from apps.case import Case, Check, Run, Service
from apps.checks import beside_volumes

CHECK = (Check("it runs", run=Run()),)
FLAGS = (
    "--read-only",
    "--tmpfs=/data:uid=100,gid=101,mode=0755",
    "--tmpfs=/data/more",
    "--mount=type=volume,dst=/data",
    "--mount=type=volume,dst=/srv",
    "--tmpfs=/run",
)


def test_advised_mount_of_a_volume_of_the_case_goes() -> None:
    case = Case("one", "", "before", CHECK, service=Service(volumes=("/data", "/srv")))
    assert beside_volumes(case, FLAGS) == ("--read-only", "--tmpfs=/data/more", "--tmpfs=/run")


def test_without_volumes_all_flags_stay() -> None:
    assert beside_volumes(Case("one", "", "before", CHECK), FLAGS) == FLAGS
