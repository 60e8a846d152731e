"""What the C library opens by itself, for programs that really import the functions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from closure.kit import left_out, planned, reasons
from conftest import require
from elf.lab import members_of
from filetree.kit import Member, Members, file, image_of

from analyzers.kit import LIBRARIES, calling, compiled, libc, unpack
from minify.filetree import FileTree
from minify.image.jsontext import Json
from minify.pipeline import Options, plan_image

FILES: list[Member | str] = [
    "bin/sh",
    "usr/lib/locale/C.utf8/LC_CTYPE",
    "usr/share/locale/locale.alias",
    "usr/share/zoneinfo/UTC",
    "usr/share/zoneinfo/Asia/Tokyo",
    "usr/share/zoneinfo/right/UTC",
    "usr/share/zoneinfo/posix/UTC",
    "etc/localtime -> /usr/share/zoneinfo/UTC",
    "etc/services",
    "etc/gai.conf",
    file("etc/nsswitch.conf", "hosts: files myhost [NOTFOUND=return] dns # x\npasswd:files\n"),
    f"{LIBRARIES[1:]}/libgcc_s.so.1",
    f"{LIBRARIES[1:]}/libnss_files.so.2",
    f"{LIBRARIES[1:]}/libnss_myhost.so.2",
    f"{LIBRARIES[1:]}/libnss_ldap.so.2",
    "usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache",
    "usr/lib/x86_64-linux-gnu/gconv/SJIS.so",
]

NSS = {
    "/etc/gai.conf": "libc.nss",
    "/etc/services": "libc.nss",
    "/etc/nsswitch.conf": "libc.nss",
    f"{LIBRARIES}/libnss_files.so.2": "libc.nss",
    f"{LIBRARIES}/libnss_myhost.so.2": "libc.nss",
}
GCONV = "/usr/lib/x86_64-linux-gnu/gconv"


def by_rule(program: Member, **run: Json) -> dict[str, str]:
    plan = planned({"Cmd": ["/app"], **run}, [program, *libc(), *FILES])
    shown = {
        path: " ".join(rule for rule in rules.strip("!").split() if rule.startswith("libc."))
        for path, rules in reasons(plan).items()
    }
    return {path: rules for path, rules in shown.items() if rules}


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        ((), {}),
        (("puts",), {}),
        (("system",), {"/bin/sh": "libc.shell"}),
        (("popen",), {"/bin/sh": "libc.shell"}),
        (("getaddrinfo",), NSS),
        (("getpwnam",), NSS),
        (("pthread_create",), {f"{LIBRARIES}/libgcc_s.so.1": "libc.libgcc"}),
        (
            ("setlocale",),
            {
                "/usr/lib/locale": "libc.locales",
                "/usr/lib/locale/C.utf8": "libc.locale libc.locales",
                "/usr/lib/locale/C.utf8/LC_CTYPE": "libc.locale libc.locales",
                "/usr/share/locale/locale.alias": "libc.locale",
            },
        ),
        (
            ("localtime",),
            {
                "/etc/localtime": "libc.timezone",
                "/usr/share/zoneinfo/UTC": "libc.timezone libc.timezones",
                "/usr/share/zoneinfo/Asia": "libc.timezones",
                "/usr/share/zoneinfo/Asia/Tokyo": "libc.timezones",
            },
        ),
        (("mbstowcs",), {f"{GCONV}/gconv-modules.cache": "libc.gconv"}),
        (("iconv_open",), {f"{GCONV}/gconv-modules.cache": "libc.gconv"}),
    ],
)
def test_what_a_program_imports_decides_what_the_c_library_opens(
    functions: tuple[str, ...], expected: dict[str, str]
) -> None:
    found = by_rule(calling(*functions))
    # crt1 and friends import nothing of these by themselves.
    assert found == expected


def test_a_static_program_shows_by_its_strings_what_it_opens() -> None:
    source = calling("getaddrinfo", "localtime", "iconv_open", flags=("-static",))
    found = by_rule(source)
    assert found["/etc/services"] == "libc.nss"
    assert found["/etc/localtime"] == "libc.timezone"
    assert found[f"{GCONV}/gconv-modules.cache"] == "libc.gconv libc.gconv-static"
    assert found[f"{LIBRARIES}/libc.so.6"] == "libc.gconv-static"
    assert f"{GCONV}/SJIS.so" not in found


NAMED = """
extern void *iconv_open(const char *to, const char *from);
int main() { return iconv_open("%s", "UTF-8") == (void *)-1; }
"""
CHARSETS: Members = [
    file(
        f"{GCONV[1:]}/gconv-modules",
        "alias SHIFT_JIS// SJIS// # x\nmodule SJIS// INTERNAL SJIS 1\n"
        "module INTERNAL SJIS// SJIS 1\n",
    ),
    file(f"{GCONV[1:]}/gconv-modules.d/more.conf", "alias IBM-1// IBM1//\nalias LOOP// LOOP//\n"),
    f"{GCONV[1:]}/IBM1.so",
]


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("SJIS", "SJIS"),
        ("shift_jis", "SJIS"),
        ("SHIFT_JIS//TRANSLIT", "SJIS"),
        ("IBM-1", "IBM1"),
        ("LOOP", None),
        ("UTF-8", None),
    ],
)
@pytest.mark.parametrize("flags", [(), ("-static",)])
def test_a_charset_that_a_program_names_brings_its_module(
    name: str, module: str | None, flags: tuple[str, ...]
) -> None:
    app = file("app", compiled(NAMED % name, *flags), mode=0o755)
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), *FILES, *CHARSETS])
    modules = {path for path in plan.keep.kept if path.endswith(("SJIS.so", "IBM1.so"))}
    assert modules == ({f"{GCONV}/{module}.so"} if module else set())


def test_a_charset_that_a_library_names_is_a_guess() -> None:
    library = file("usr/lib/libx.so", compiled(NAMED % "SJIS", "-shared", "-fPIC"))
    members = [calling("puts"), library, *libc(), *FILES, *CHARSETS]
    plan = planned({"Cmd": ["/app"], "Env": ["X=/usr/lib/libx.so"]}, members)
    assert left_out(plan) == {f"{GCONV}/SJIS.so": "guessed libc.gconv-named"}


def test_the_charset_of_the_locale_has_its_module() -> None:
    found = by_rule(calling("mbstowcs"), Env=["LANG=ja_JP.SJIS"])
    assert found[f"{GCONV}/SJIS.so"] == "libc.gconv"


def test_a_program_converts_to_a_charset_in_a_tree_that_has_no_other(tmp_path: Path) -> None:
    """The real library, with its real modules; only those that are kept are there."""
    require("chroot")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    app = file("app", compiled(NAMED % "SHIFT_JIS"), mode=0o755)
    image = image_of({"Cmd": ["/app"]}, [app, *libc(), *members_of(Path(GCONV), at=GCONV)])
    plan = plan_image(image, Options())
    unpack(plan, FileTree.from_layers(image.layers), tmp_path)
    modules = {path for path in plan.keep.kept if path.startswith(GCONV) and path.endswith(".so")}
    run = subprocess.run(["chroot", tmp_path, "/app"], check=False)
    assert (modules, run.returncode) == ({f"{GCONV}/SJIS.so"}, 0)
    (tmp_path / GCONV[1:] / "SJIS.so").unlink()
    assert subprocess.run(["chroot", tmp_path, "/app"], check=False).returncode == 1


def test_a_link_of_local_time_brings_its_zone() -> None:
    plan = planned({"Cmd": ["/app"]}, [calling("puts"), *libc(), *FILES])
    assert reasons(plan)["/usr/share/zoneinfo/UTC"] == "base.identity"
