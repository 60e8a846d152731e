"""What the C library opens by itself, for programs that really import the functions."""

import pytest
from closure.kit import planned, reasons
from filetree.kit import Member, file

from analyzers.kit import LIBRARIES, calling, libc

RULES = ("libc.shell", "libc.nss", "libc.libgcc", "libc.locale", "libc.timezone", "libc.gconv")

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


def by_rule(program: Member) -> dict[str, str]:
    plan = planned({"Cmd": ["/app"]}, [program, *libc(), *FILES])
    shown = {
        path: " ".join(rule for rule in rules.strip("!").split() if rule in RULES)
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
                "/usr/lib/locale": "libc.locale",
                "/usr/lib/locale/C.utf8": "libc.locale",
                "/usr/lib/locale/C.utf8/LC_CTYPE": "libc.locale",
                "/usr/share/locale/locale.alias": "libc.locale",
            },
        ),
        (
            ("localtime",),
            {
                "/etc/localtime": "libc.timezone",
                "/usr/share/zoneinfo/UTC": "libc.timezone",
                "/usr/share/zoneinfo/Asia": "libc.timezone",
                "/usr/share/zoneinfo/Asia/Tokyo": "libc.timezone",
            },
        ),
        (("mbstowcs",), {f"{GCONV}/gconv-modules.cache": "libc.gconv"}),
        (
            ("iconv_open",),
            {
                GCONV: "libc.gconv",
                f"{GCONV}/gconv-modules.cache": "libc.gconv",
                f"{GCONV}/SJIS.so": "libc.gconv",
            },
        ),
    ],
)
def test_what_a_program_imports_decides_what_the_c_library_opens(
    functions: tuple[str, ...], expected: dict[str, str]
) -> None:
    found = by_rule(calling(*functions))
    # crt1 and friends import nothing of these by themselves.
    assert found == expected


def test_a_static_program_shows_by_its_strings_what_it_opens() -> None:
    found = by_rule(calling("getaddrinfo", "localtime", "iconv_open", flags=("-static",)))
    assert set(found.values()) >= {"libc.nss", "libc.timezone", "libc.gconv"}
    assert found[f"{GCONV}/SJIS.so"] == "libc.gconv"
    assert found["/etc/services"] == "libc.nss"


def test_a_link_of_local_time_brings_its_zone() -> None:
    plan = planned({"Cmd": ["/app"]}, [calling("puts"), *libc(), *FILES])
    assert reasons(plan)["/usr/share/zoneinfo/UTC"] == "base.identity"
