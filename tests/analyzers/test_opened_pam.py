"""What libpam loads for a program: service files, what they include, their modules."""

from __future__ import annotations

import tempfile
from pathlib import Path

from closure.kit import planned, reasons
from filetree.kit import Member, file

from analyzers.kit import compiled, libc

ALWAYS = ("parent", "skeleton.standard", "base.identity", "elf.needed", "elf.interpreter")


def _asking() -> list[Member | str]:
    """A program that is linked with libpam, and a libpam."""
    library = compiled("int pam_start(void) { return 0; }", "-shared", "-Wl,-soname,libpam.so.0")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "libpam.so.0")
        path.write_bytes(library)
        source = "int pam_start(void); int main(void) { return pam_start(); }"
        program = compiled(source, str(path))
    return [
        file("usr/bin/door", program, mode=0o755),
        file("usr/lib/libpam.so.0", library),
        *libc(),
    ]


def test_a_program_that_asks_pam_brings_its_services_what_they_include_and_their_modules() -> None:
    members = [
        *_asking(),
        file(
            "etc/pam.d/door",
            "# a comment: pam_unused.so\n"
            "@include common\n"
            "auth [success=1 default=ignore] pam_door.so debug\n"
            "session include missing\n",
        ),
        file("etc/pam.d/common", "auth required \\\n pam_unix.so\nauth substack third\n"),
        file("etc/pam.d/third", "auth optional /opt/pam_third.so\n"),
        file("etc/pam.d/other", "auth required pam_deny.so\n"),
        file("etc/pam.d/stranger", "auth required pam_unused.so\n"),
        *(f"usr/lib/security/pam_{name}.so" for name in ("door", "unix", "deny", "unused")),
        "opt/pam_third.so",
        "etc/login.defs",
        "etc/security/limits.conf",
    ]
    found = reasons(planned({"Cmd": ["/usr/bin/door"]}, members), without=ALWAYS)
    assert {path: why for path, why in found.items() if why == "pam"} == dict.fromkeys(
        (
            "/etc/login.defs",
            "/etc/pam.d/common",
            "/etc/pam.d/door",
            "/etc/pam.d/other",
            "/etc/pam.d/third",
            "/etc/security",
            "/etc/security/limits.conf",
            "/opt/pam_third.so",
            "/usr/lib/security/pam_deny.so",
            "/usr/lib/security/pam_door.so",
            "/usr/lib/security/pam_unix.so",
        ),
        "pam",
    )


def test_services_that_include_one_another_end() -> None:
    members = [
        *_asking(),
        file("etc/pam.d/door", "@include other\n"),
        file("etc/pam.d/other", "@include door\n"),
    ]
    found = reasons(planned({"Cmd": ["/usr/bin/door"]}, members), without=ALWAYS)
    assert (found["/etc/pam.d/door"], found["/etc/pam.d/other"]) == ("pam", "pam")


def test_a_program_that_asks_nobody_has_no_services() -> None:
    members = [
        file("door", compiled("int main(void) { return 0; }"), mode=0o755),
        *libc(),
        file("etc/pam.d/door", "auth required pam_unix.so\n"),
    ]
    found = reasons(planned({"Cmd": ["/door"]}, members), without=ALWAYS)
    assert "/etc/pam.d/door" not in found
