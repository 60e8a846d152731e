"""Scripts, services, configuration, certificates: what is kept beside the ELF closure."""

import pytest
from closure.kit import gaps, planned, reasons, written
from filetree.kit import Member, Members, directory, file

from analyzers.kit import compiled
from minify.errors import ClosureError

ALWAYS = ("parent", "skeleton.standard", "base.identity")


def program(name: str) -> Member:
    return file(name, "\x7f", mode=0o755)


def dpkg(**packages: str) -> list[Member | str]:
    """A database in which each package has the paths of its text and one source, but `libs_*`."""
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nSource: {name.partition('_')[0]}\n\n"
        for name in packages
    )
    lists = [file(f"var/lib/dpkg/info/{n}.list", p.replace(" ", "\n")) for n, p in packages.items()]
    return [file("var/lib/dpkg/status", status), *lists]


def kept(*members: Member | str, cmd: str = "/app") -> dict[str, str]:
    return reasons(planned({"Cmd": [cmd]}, members), without=ALWAYS)


BIN: Members = [
    program("usr/bin/sed"),
    program("bin/sh"),
    program("usr/bin/env"),
    program("bin/ls"),
]


def test_a_script_brings_its_interpreter_and_its_commands() -> None:
    text = '#!/bin/sh -e\nset -e\n. /etc/app/env\nsed s/a/b/ /etc/app/x | nope\nexec "$@"\n'
    found = kept(file("app", text, mode=0o755), *BIN, "etc/app/env", "etc/app/x", "etc/app/y")
    assert found == {
        "/app": "!config.cmd",
        "/bin/sh": "!script.interpreter",
        "/usr/bin/sed": "!script.command",
        "/etc/app/env": "!script.path",
        "/etc/app/x": "script.path",
    }


@pytest.mark.parametrize(
    "line", ["#!/usr/bin/env sed", "#! /usr/bin/env -S sed -f", "#!/usr/bin/env -S A=1 sed"]
)
def test_env_finds_the_interpreter(line: str) -> None:
    assert kept(file("app", f"{line}\n", mode=0o755), *BIN) == {
        "/app": "!config.cmd",
        "/usr/bin/env": "!script.interpreter",
        "/usr/bin/sed": "!script.interpreter",
    }


@pytest.mark.parametrize(("line", "name"), [("#!/nope", "/nope"), ("#!/usr/bin/env nope", "nope")])
def test_a_missing_interpreter_is_refused(line: str, name: str) -> None:
    with pytest.raises(ClosureError, match=f"/app needs {name} "):
        planned({"Cmd": ["/app"]}, [file("app", f"{line}\n", mode=0o755), *BIN])


def test_what_a_script_makes_up_at_run_time_is_a_gap_with_its_line() -> None:
    text = "#!/bin/sh\ntrue\n$CMD x\n"
    plan = planned({"Cmd": ["/app"]}, [file("app", text, mode=0o755), *BIN])
    assert gaps(plan) == ["/app: /app:3 runs '$CMD', which is only known at run time"]


def test_a_script_that_is_only_data_brings_no_interpreter() -> None:
    found = kept(
        program("app"), *BIN, directory("var/lib/x", uid=5), file("var/lib/x/s", "#!/bin/ls\n")
    )
    assert "/bin/ls" not in found


def test_a_packaged_service_keeps_its_configuration_and_state() -> None:
    found = planned(
        {"Cmd": ["serve"]},
        [
            program("usr/sbin/serve"),
            *dpkg(
                serve="/usr/sbin/serve /usr/sbin/serve-tool /usr/share/doc/serve",
                serve_common="/etc/serve /etc/serve/a.conf /var/lib/serve /etc/init.d/serve /etc",
                other="/etc/other /etc/other/o.conf /var/lib/other /etc",
            ),
            program("usr/sbin/serve-tool"),
            "usr/share/doc/serve/README",
            "etc/serve/a.conf: root /srv/www;",
            "etc/serve/local.conf",
            "etc/init.d/serve",
            "etc/other/o.conf",
            directory("var/lib/serve", uid=7),
            "var/lib/serve/seed",
            directory("var/lib/other", uid=8),
            directory("srv/www"),
            "srv/www/index.html",
        ],
    )
    shown = reasons(found, without=ALWAYS)
    assert shown == {
        "/usr/sbin/serve": "!config.cmd",
        "/etc/serve": "package.data",
        "/etc/serve/a.conf": "package.data",
        "/etc/serve/local.conf": "package.data",
        "/var/lib/serve": "package.data skeleton.special",
        "/var/lib/serve/seed": "package.data",
        "/var/lib/other": "skeleton.special",
        "/srv/www": "config-file",
        "/srv/www/index.html": "config-file",
    }
    changes = written(found)
    assert changes["/var/lib/serve"] == "owner 7:0 → 10001:10001: written to"
    assert changes["/var/lib/serve/seed"] == "owner 0:0 → 10001:10001: written to"
    assert changes["/var/lib/other"] == ""


def test_globs_in_configuration_bring_what_they_match() -> None:
    found = kept(
        program("app"),
        "etc/app.conf: include /opt/conf/*.inc;\n# include /opt/old/x;",
        "opt/conf/a.inc",
        "opt/conf/b.txt",
        "opt/old/x",
        file("etc/app.list"),
        cmd="/app",
    )
    # Nothing says that the program reads /etc/app.conf.
    assert found == {"/app": "!config.cmd"}
    plan = planned(
        {"Cmd": ["/app", "/etc/app.conf"]},
        [
            program("app"),
            *dpkg(x="/nothing"),
            "etc/app.conf: include /opt/conf/*.inc;\n# include /opt/old/x;",
            "opt/conf/a.inc",
            "opt/conf/b.txt",
            "opt/old/x",
        ],
    )
    assert reasons(plan, without=ALWAYS)["/opt/conf/a.inc"] == "config-file"
    assert "/opt/conf/b.txt" not in plan.keep.kept
    assert "/opt/old/x" not in plan.keep.kept


def test_accounts_in_configuration_stay_in_passwd() -> None:
    plan = planned(
        {"Cmd": ["/app", "/etc/app.conf"]},
        [
            program("app"),
            *dpkg(x="/nothing"),
            file("etc/app.conf", "user www;\n  Group = staff\nusers = 5\n"),
            file("etc/passwd", "www:x:33:33::/:/bin/sh\nother:x:9:9::/:/bin/sh\n"),
            file("etc/group", "www:x:33:\nstaff:x:50:\nother:x:9:\n"),
        ],
    )
    assert plan.identity.passwd == (
        "www:x:33:33::/:/bin/sh",
        "appuser:x:10001:10001::/nonexistent:/sbin/nologin",
    )
    assert plan.identity.group == ("www:x:33:", "staff:x:50:", "appuser:x:10001:")


def test_a_tls_library_brings_the_trust_store_by_hash_and_its_configuration() -> None:
    library = file("usr/lib/libcrypto.so.3", compiled("int f;", "-shared", "-nostdlib"))
    plan = planned(
        {"Cmd": ["/app"], "Env": ["KEEP=/usr/lib/libcrypto.so.3"]},
        [
            program("app"),
            library,
            "etc/ssl/certs/ca-certificates.crt",
            "etc/ssl/certs/abc.0 -> A.pem",
            "etc/ssl/certs/A.pem -> /usr/share/ca-certificates/A.crt",
            "usr/share/ca-certificates/A.crt",
            "etc/ssl/openssl.cnf",
            directory("etc/ssl/private", mode=0o710),
            "etc/ssl/private/key.pem",
            "usr/lib/ssl/openssl.cnf -> /etc/ssl/openssl.cnf",
            "usr/lib/ssl/private -> /etc/ssl/private",
            "usr/lib/ssl/misc/CA.pl",
            "usr/lib/ossl-modules/legacy.so",
            "usr/lib/engines-3/e.so",
        ],
    )
    shown = reasons(plan, without=ALWAYS)
    assert shown == {
        "/app": "!config.cmd",
        "/etc/ssl/certs": "tls",
        "/etc/ssl/certs/A.pem": "link tls",
        "/etc/ssl/certs/abc.0": "tls",
        "/etc/ssl/certs/ca-certificates.crt": "base.ca-bundle tls",
        "/etc/ssl/openssl.cnf": "tls",
        "/etc/ssl/private": "skeleton.special tls",
        "/usr/lib/engines-3": "tls.modules",
        "/usr/lib/engines-3/e.so": "tls.modules",
        "/usr/lib/libcrypto.so.3": "config.env",
        "/usr/lib/ossl-modules": "tls.modules",
        "/usr/lib/ossl-modules/legacy.so": "tls.modules",
        "/usr/lib/ssl/openssl.cnf": "tls",
        "/usr/lib/ssl/private": "tls",
        "/usr/share/ca-certificates/A.crt": "tls",
    }


def test_the_certificates_stay_in_every_image() -> None:
    found = kept(program("app"), "etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/x.pem")
    assert found == {
        "/app": "!config.cmd",
        "/etc/ssl/certs/ca-certificates.crt": "base.ca-bundle",
    }


def test_directories_with_an_owner_or_mode_of_their_own_stay() -> None:
    found = kept(
        program("app"),
        directory("var/lib/x", mode=0o700),
        directory("opt/y", uid=3),
        directory("opt/z"),
        directory("usr/share/w", mode=0o700),
        directory("var/cache/apt/archives/partial", mode=0o700, uid=42),
    )
    assert found == {
        "/app": "!config.cmd",
        "/var/lib/x": "skeleton.special",
        "/opt/y": "skeleton.special",
    }


def test_a_language_runtime_is_kept_whole() -> None:
    python = file("usr/bin/python3.11", compiled("int main(){return 0;}", "-static"), mode=0o755)
    found = kept(
        python,
        "usr/bin/python3 -> python3.11",
        file("srv/app/run", "#!/usr/bin/python3\n", mode=0o755),
        "srv/app/data.json",
        "usr/lib/python3/dist-packages/x.py",
        "usr/lib/python3.11/os.py",
        "usr/lib/ruby/y.rb",
        cmd="/srv/app/run",
    )
    assert {path for path, rules in found.items() if "runtime.python" in rules} == {
        "/usr/lib/python3",
        "/usr/lib/python3/dist-packages",
        "/usr/lib/python3/dist-packages/x.py",
        "/usr/lib/python3.11",
        "/usr/lib/python3.11/os.py",
    }
    assert "/usr/lib/ruby" not in found
