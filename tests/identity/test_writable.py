"""What becomes the user's, what is withheld and why: `/tree/**`, `/alone`, `new /run/app/**`."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from filetree.kit import Member, character, directory, fifo, file, hardlink, symlink

from identity.kit import ACCOUNTS, chosen, given, keeping, runs_as, shown, together, writes
from minify.closure import KeepSet, Written
from minify.errors import UsageError
from minify.identity import Identity, Wishes
from minify.image.jsontext import Json

SYSTEM = ("run/", "var/lib/", "var/log/", "etc/app/", "usr/bin/", directory("tmp", mode=0o1777))


def withheld(identity: Identity) -> str:
    return shown(identity).get("withheld", "")


def kept(*paths: str) -> KeepSet:
    return keeping(soft=dict.fromkeys(paths, "test"))


@pytest.mark.parametrize(
    ("members", "path", "expected"),
    [
        (["data/"], "/data", "/data/** /run"),
        ([symlink("d", "data"), "data/"], "/d", "/data/** /run"),
        ([], "/run/app", "/run new /run/app/**"),
        ([], "/run/app/../x", "/run new /run/x/**"),
        ([symlink("var/run", "/run")], "/var/run/app", "/run new /run/app/**"),
        ([symlink("logs", "/var/log/app")], "/logs", "/run new /var/log/app/**"),
        ([], "/etc/app/conf.d", "new /etc/app/conf.d/** /run"),
        ([], "relative/x", "new /relative/x/** /run"),
        # Of everybody's directories those where programs write, without what is in them.
        ([], "/var/lib", "/run /var/lib"),
        ([], "/var/cache", "/run new /var/cache"),
        ([], "/tmp", "/run"),  # noqa: S108 (of the image)
        (["var/tmp/"], "/var/tmp", "/run"),  # noqa: S108 (of the image)
        ([directory("opt", mode=0o777)], "/opt", "/run"),
        # What is there already, or is no place.
        ([], "/dev/shm/x", "/run"),  # noqa: S108 (of the image)
        ([], "/dev/stdout", "/run"),
        ([], "/proc/self/fd/1", "/run"),
    ],
)
def test_trees_become_the_users(members: Sequence[Member], path: str, expected: str) -> None:
    identity = chosen("", [*ACCOUNTS, *SYSTEM, *members], writes(path))
    assert (given(identity), withheld(identity)) == (expected, "")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/", "/ is a directory of everybody"),
        ("/usr/bin", "/usr/bin is a directory of everybody"),
        ("/usr/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu is a directory of everybody"),
        ("/etc", "/etc is a directory of everybody"),
        ("/var", "/var is a directory of everybody"),
        ("/srv", "/srv is a directory of everybody"),
        ("/link", "/etc is a directory of everybody"),
        ("/proc/sys/kernel", "it is the kernel's"),
        ("/sys", "it is the kernel's"),
        ("/run/secrets/x", "engines mount secrets there"),
        ("/etc/sudoers.d", "it says who may become root"),
        ("/etc/ld.so.conf.d", "it says which libraries every program loads"),
        ("/etc/passwd/x", "/etc/passwd is in the way: it is no directory"),
        ("/loop", "it is a loop of links"),
        (f"/data/{'x' * 300}", "it has a component longer than 255 bytes"),
        ("/data" + "/x" * 2100, "it is longer than 4,095 bytes"),
        ("/null", "/null is a character device"),
        ("/pipe", "/pipe is a fifo"),
    ],
)
def test_what_is_everybodys_is_withheld(path: str, why: str) -> None:
    members = [
        *ACCOUNTS,
        "usr/lib/x86_64-linux-gnu/",
        "usr/bin/",
        "srv/",
        "etc/sudoers.d/",
        symlink("link", "etc"),
        symlink("loop", "loop"),
        character("null", 1, 3),
        fifo("pipe"),
    ]
    identity = chosen("", members, together(kept("/null", "/pipe"), writes(path)))
    assert (given(identity), withheld(identity)) == ("", f"{path}: {why}")


@pytest.mark.parametrize(
    ("what", "path", "expected", "why"),
    [
        (Written.FILE, "/etc/app/a.conf", "/etc/app/a.conf /run", ""),
        (Written.FILE, "/etc/top.conf", "/etc/top.conf /run", ""),
        (Written.FILE, "/etc/app/new.conf", "/etc/app /run", ""),
        (Written.FILE, "/run/app.pid", "/run", ""),
        (Written.FILE, "/run/app/app.pid", "/run new /run/app/**", ""),
        (Written.FILE, "/var/log/app.log", "/run /var/log", ""),
        (Written.FILE, "/var/log/old.log", "/run /var/log", ""),
        (Written.FILE, "/tmp/x", "/run", ""),  # noqa: S108 (of the image)
        (Written.FILE, "/etc/new.conf", "/run", "it takes /etc, a directory of everybody"),
        (Written.FILE, "/srv/app/x", "/run", "/srv/app does not exist"),
        (Written.FILE, "/etc/passwd", "/run", "it says who may become root"),
        (Written.FILE, "/etc/ld.so.preload", "/run", "it says which libraries every program loads"),
        (Written.FILE, "/data", "/data/** /run", ""),
        (Written.TREE, "/etc/app/a.conf", "/etc/app/a.conf /run", ""),
        (Written.REPLACED, "/etc/app/a.conf", "/etc/app /run", ""),
        (Written.REPLACED, "/etc/top.conf", "/run", "it takes /etc, a directory of everybody"),
        (Written.REPLACED, "/data/sub", "/data /data/sub/** /run", ""),
        (Written.FILE, "/data/1", "/run", "/data/1 has other names, whose owner would change too"),
        (Written.FILE, "/data/s", "/run", "/data/s is setuid or setgid, or has a capability"),
        (Written.FILE, "/data/c", "/run", "/data/c is setuid or setgid, or has a capability"),
    ],
)  # fmt: skip
def test_files_are_given_or_the_directory_that_they_are_made_in(
    what: Written, path: str, expected: str, why: str
) -> None:
    members = [
        *ACCOUNTS,
        *SYSTEM,
        "etc/app/a.conf: x",
        "etc/top.conf: x",
        "var/log/old.log: not kept",
        "data/sub/",
        "data/1: x",
        hardlink("data/2", "data/1"),
        file("data/s", mode=0o4755),
        file("data/c", xattrs={"security.capability": "x"}),
    ]
    there = ("/etc/app/a.conf", "/etc/top.conf", "/data/1", "/data/2", "/data/s", "/data/c")
    found = together(kept(*there, "/data/sub"), writes(path, what=what))
    identity = chosen("", members, found)
    expected_withheld = f"{path}: {why}" if why else ""
    assert (given(identity), withheld(identity)) == (expected, expected_withheld)


def test_a_tree_speaks_for_what_comes_with_it() -> None:
    keep = together(
        kept("/data/a/b"),
        writes("/data/a", "/data", "/data/new", "/data/unkept"),
        writes("/data/a/b", what=Written.FILE),
    )
    identity = chosen("", ["data/a/b: x", "data/unkept/"], keep)
    assert given(identity) == "/data/** new /data/new/** /data/unkept/**"


def test_what_is_dropped_is_not_given() -> None:
    dropped = replace(writes("/data"), overruled=kept("/data").kept)
    identity = chosen("", ["data/"], dropped)
    assert (given(identity), withheld(identity)) == ("", "/data: --drop leaves it out")


def test_no_end_of_new_directories_is_made() -> None:
    identity = chosen("", [], writes(*(f"/run/{number:04}" for number in range(1001))))
    assert len(identity.given) == 1000
    assert withheld(identity) == "/run/1000: more than 1,000 directories would be made"


@pytest.mark.parametrize("user", ["", "web", "keep"])
def test_nothing_is_given_to_the_images_own_user(user: str) -> None:
    members = [*ACCOUNTS, "data/", "run/", file("app", mode=0o700)]
    keep = together(keeping("/app"), writes("/data"))
    wishes = Wishes("keep") if user == "keep" else Wishes()
    own = "web" if user == "web" else ""
    assert given(chosen(own, members, keep, wishes)) == ""


@pytest.mark.parametrize(
    ("user", "wishes", "expected"),
    [
        ("web", Wishes(writable=("/data", "/new")), "/data/** new /new/**"),
        ("web", Wishes("keep", ("/data",)), "/data/**"),
        ("", Wishes("keep", ("/data", "/new")), "new /new/**"),
        ("", Wishes("0", ("/data", "/new")), "new /new/**"),
        ("", Wishes("web", ("/data",)), "/data/** /run /state/**"),
        ("", Wishes(writable=("/data",)), "/data/** /run /state/**"),
        ("", Wishes(writable=("/etc/x", "/new")), "/etc/x new /new/** /run /state/**"),
        ("web", Wishes(arbitrary_uid=True), "/run /state/**"),
    ],
)  # fmt: skip
def test_what_the_user_wishes_is_given(user: str, wishes: Wishes, expected: str) -> None:
    members = [*ACCOUNTS, "data/", "state/", "run/", "etc/x: y"]
    keep = together(kept("/data", "/etc/x"), writes("/state"))
    assert given(chosen(user, members, keep, wishes)) == expected


def test_a_wish_for_a_directory_of_everybody_is_met_without_what_is_in_it() -> None:
    keep = kept("/srv/x")
    identity = chosen("", ["srv/x: y"], keep, Wishes(writable=("/srv",)))
    assert given(identity) == "/srv"
    said = "/srv is a directory of everybody, so what is in it is not given"
    assert identity.warnings == (f"--writable /srv: {said}; name what is to be written to",)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("data", "expected an absolute path in the image"),
        ("/", "the root directory; name a directory of the program's own"),
        ("/x/..", "the root directory; name a directory of the program's own"),
        ("/proc/1", "/proc is the kernel's; name a directory of the program's own"),
        ("/sys", "/sys is the kernel's; name a directory of the program's own"),
        ("/dev/x", "/dev is the kernel's; name a directory of the program's own"),
        ("/etc/passwd", "it says who may become root"),
        ("/file", "it is no directory, and the result does not have it; --keep it as well"),
        ("/file/x", "/file is in the way: it is no directory"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(path: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"--writable {path}: {message}")):
        chosen("", [*ACCOUNTS, "file: x"], keeping(), Wishes(writable=(path,)))


def test_a_volume_that_the_engine_would_make_as_root_is_made_for_the_user() -> None:
    volumes: Json = {"/data": {}, "etc": {}}
    identity = chosen("", ["etc/"], keeping(), Wishes(), Volumes=volumes)
    assert given(identity) == "new /data/**"
    assert withheld(identity) == "/etc: /etc is a directory of everybody"


def test_the_account_that_is_dropped_to_gets_what_is_written() -> None:
    members = [*ACCOUNTS, "run/", "data/"]
    keep = together(runs_as("web"), writes("/data", "/usr"))
    assert shown(chosen("", members, keep), "passwd", "group", "why") == {
        "user": "33 = web 33:33+110, changed",
        "given": "/data/** /run",
        "withheld": "/usr: /usr is a directory of everybody",
    }
