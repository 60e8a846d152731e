"""Scripts, services, configuration, certificates: what is kept beside the ELF closure."""

import pytest
from closure.kit import gaps, planned, reasons, written
from filetree.kit import Member, Members, directory, file

from analyzers.kit import compiled, libc
from minify.errors import ClosureError
from minify.image.jsontext import Json
from minify.pipeline import Options

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


@pytest.mark.parametrize("written", ["/opt/cgi/serve", "/opt/cgi/serve/", "/opt/cgi/serve."])
def test_a_template_brings_what_it_names_wherever_it_is(written: str) -> None:
    plan = planned(
        {"Cmd": ["/app", "/data/app.conf.in", "/data/notes"]},
        [
            program("app"),
            *dpkg(x="/nothing"),
            f"data/app.conf.in: listen @PORT@\nScriptAlias /x/ {written}\n",
            "data/notes: see /opt/old/x",
            program("opt/cgi/serve"),
            "opt/old/x",
        ],
    )
    assert reasons(plan, without=ALWAYS)["/opt/cgi/serve"] == "!config-file"
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
        "/usr/lib/libcrypto.so.3": "config.env",
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


def test_a_language_runtime_is_kept_with_what_is_imported() -> None:
    python = file("usr/bin/python3.11", compiled("int main(){return 0;}", "-static"), mode=0o755)
    found = kept(
        python,
        "usr/bin/python3 -> python3.11",
        file("srv/app/run", "#!/usr/bin/python3\nimport x\n", mode=0o755),
        "srv/app/data.json",
        "usr/lib/python3/dist-packages/x.py",
        "usr/lib/python3.11/os.py",
        "usr/lib/ruby/y.rb",
        cmd="/srv/app/run",
    )
    libraries = {path: rules for path, rules in found.items() if path.startswith("/usr/lib/")}
    assert libraries == {
        "/usr/lib/python3": "runtime.python",
        "/usr/lib/python3/dist-packages": "runtime.python",
        "/usr/lib/python3/dist-packages/x.py": "python.distribution python.import",
        "/usr/lib/python3.11": "runtime.python",
        "/usr/lib/python3.11/os.py": "python.import",
    }


SCRIPTED = [
    *BIN,
    program("usr/sbin/served"),
    program("usr/bin/curl"),
    program("opt/app/helper"),
    file("opt/app/lib.sh", "x"),
    file("srv/functions", "curl x"),
    program("bin/kill"),
    program("bin/su"),
    program("usr/bin/flock"),
]


@pytest.mark.parametrize(
    ("line", "path", "grade"),
    [
        ("HTTPD=${X:-/usr/sbin/served}; $HTTPD -k", "/usr/sbin/served", "!"),
        (': "${CLI:=curl}"; "$CLI" x', "/usr/bin/curl", "!"),
        ("${CLI-curl} x; ${CLI} y", "/usr/bin/curl", "!"),
        ("X=/usr/sbin/served", "/usr/sbin/served", "!"),
        ('. "$(dirname "$0")/lib.sh"', "/opt/app/lib.sh", "!"),
        ('"$DIR/helper" x', "/opt/app/helper", "!"),
        ("for t in curl ls; do command -v $t; done", "/usr/bin/curl", ""),
        ("timeout 5 nice curl", "/usr/bin/curl", "!"),
        ("xargs -n1 curl", "/usr/bin/curl", "!"),
        ("find . -exec curl {} +", "/usr/bin/curl", "!"),
        ("cat <<EOF\nDon't panic\nEOF\ncurl -x\necho 'done'", "/usr/bin/curl", "!"),
        ("cat <<-E\n\tv $(curl x)\n\tE", "/usr/bin/curl", "!"),
        ("su app -c 'curl x'", "/usr/bin/curl", "!"),
        ("exec su-exec app sh -c 'curl x'", "/usr/bin/curl", "!"),
        ('eval "curl x"', "/usr/bin/curl", "!"),
        (". $(dirname $0)/lib.sh", "/opt/app/lib.sh", "!"),
        ("exec $(dirname $0)/helper", "/opt/app/helper", "!"),
        ('X="$(curl $(echo x))"', "/usr/bin/curl", "!"),
        ('X="`curl x`"', "/usr/bin/curl", "!"),
        ("exec curl\\\n  -x", "/usr/bin/curl", "!"),
        ("pgrep x | xargs kill", "/bin/kill", "!"),
        ("export PATH=/opt/app:$PATH\nexec helper", "/opt/app/helper", "!"),
        (". /srv/functions", "/usr/bin/curl", "!"),
        ("exec -a name curl", "/usr/bin/curl", "!"),
        ("flock /x -c 'curl x'", "/usr/bin/curl", "!"),
    ],
)
def test_idioms_of_scripts(line: str, path: str, grade: str) -> None:
    members = [file("opt/app/run", f"#!/bin/sh\n{line}\n", mode=0o755), *SCRIPTED]
    rules = kept(*members, cmd="/opt/app/run")[path]
    assert rules.startswith(grade)
    assert "script." in rules


def test_patterns_functions_and_repetitions_are_no_gaps() -> None:
    text = "#!/bin/sh\ncase $1 in\n *x*) ls;;\nesac\nf() { ls; }\nf; $Y a; $Y b\n"
    plan = planned({"Cmd": ["/app"]}, [file("app", text, mode=0o755), *BIN])
    assert gaps(plan) == ["/app: /app:6 runs '$Y', which is only known at run time"]


def test_a_script_in_another_language_is_a_gap() -> None:
    perl = file("usr/bin/perl", compiled("int main(){return 0;}", "-static"), mode=0o755)
    plan = planned({"Cmd": ["/app"]}, [file("app", "#!/usr/bin/perl\n", mode=0o755), perl])
    assert gaps(plan) == ["/app: /app is a script for perl: what it runs and opens is not followed"]


def test_a_program_that_configuration_names_is_run() -> None:
    script = file("usr/share/serve/gen", "#!/bin/ls\n", mode=0o755)
    found = kept(
        program("usr/sbin/serve"),
        *BIN,
        *dpkg(serve="/usr/sbin/serve /etc/serve /etc/serve/c /usr/share/serve"),
        "etc/serve/c: include_shell /usr/share/serve/gen",
        script,
        cmd="/usr/sbin/serve",
    )
    assert found["/usr/share/serve/gen"].startswith("!")
    assert found["/bin/ls"] == "!script.interpreter"


def test_private_programs_of_the_package_stay() -> None:
    found = kept(
        program("usr/bin/git"),
        *dpkg(git="/usr/bin/git /usr/lib/git-core /usr/lib", git_web="/usr/lib/git-web /usr/lib"),
        program("usr/lib/git-core/git-remote"),
        program("usr/lib/git-web/x"),
        cmd="git",
    )
    assert found["/usr/lib/git-core/git-remote"] == "package.private"
    assert "/usr/lib/git-web/x" not in found


def test_state_of_others_is_left_alone() -> None:
    plan = planned(
        {"Cmd": ["/app"]},
        [
            program("app"),
            *dpkg(x="/nothing"),
            directory("run/secrets"),
            file("run/secrets/key", mode=0o600),
            directory("var/lib/other", mode=0o700),
            file("var/lib/other/token", mode=0o600),
            directory("var/lib/app"),
            "var/lib/app/data",
        ],
    )
    changes = written(plan)
    assert "/run/secrets/key" not in changes
    assert "/var/lib/other/token" not in changes
    assert changes["/var/lib/app"] == "owner 0:0 → 10001:10001: written to"
    assert changes["/var/lib/app/data"] == "owner 0:0 → 10001:10001: written to"


def test_an_account_that_a_program_names_stays() -> None:
    source = 'extern int getpwnam(); void *p = getpwnam; char *n = "nobody"; int main(){return 0;}'
    app = file("app", compiled(source), mode=0o755)
    passwd = file("etc/passwd", "nobody:x:65534:65534::/:/bin/sh\nother:x:9:9::/:/bin/sh\n")
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), passwd])
    assert plan.identity.passwd == (
        "appuser:x:10001:10001::/nonexistent:/sbin/nologin",
        "nobody:x:65534:65534::/:/bin/sh",
    )


def test_what_only_root_could_read_is_opened_to_the_user() -> None:
    members: list[Member | str] = [
        program("usr/sbin/serve"),
        *dpkg(serve="/usr/sbin/serve /etc/serve /etc/serve/key"),
        file("etc/serve/key", mode=0o600),
    ]
    for more, by in (
        ((), "/etc/serve"),
        (("etc/serve/conf: key /etc/serve/key",), "/etc/serve/conf"),
    ):
        plan = planned({"Cmd": ["serve"]}, [*members, *more])
        assert plan.identity.user == "10001"
        change = f"group 0 → 10001, mode 0600 → 0640: named by {by}"
        assert (gaps(plan), written(plan)["/etc/serve/key"]) == ([], change)


@pytest.mark.parametrize("volume", ["/", "/usr", "/etc", "/v", "/dangling"])
def test_a_volume_gives_the_user_nothing_of_everybodys(volume: str) -> None:
    members: list[Member | str] = [
        program("usr/bin/app"),
        file("etc/passwd", "root:x:0:0::/:/bin/sh\n"),
        "v -> usr/bin",
        "dangling -> /nowhere",
    ]
    plan = planned({"Cmd": ["app"], "Volumes": {volume: {}}}, members)
    owners = {item.entry.path: item.entry.uid for item in plan.entries}
    # Where a link leads nowhere the engine would make the directory, for root.
    made = {"/nowhere"} if volume == "/dangling" else set()
    assert {path for path, uid in owners.items() if uid} == made


def test_privileged_files_and_shared_inodes_are_not_given_away() -> None:
    members: list[Member | str] = [
        program("app"),
        directory("data"),
        file("data/setuid", mode=0o4755),
        file("data/caps", xattrs={"security.capability": "x"}),
        file("data/plain"),
        file("data/linked"),
        "opt/linked => data/linked",
    ]
    run: dict[str, Json] = {"Cmd": ["/app"], "Volumes": {"/data": {}}}
    plan = planned(run, members, options=Options(keep=("/opt",)))
    owners = {item.entry.path: item.entry.uid for item in plan.entries}
    assert [path for path, uid in owners.items() if uid] == ["/data", "/data/plain"]


def test_the_scripts_of_a_directory_that_is_gone_through_are_followed() -> None:
    found = kept(
        file(
            "app", '#!/bin/sh\nfind /hooks/ -type f | while read -r f; do "$f"; done\n', mode=0o755
        ),
        file("hooks/10.sh", "#!/bin/sh\nsed x\n", mode=0o755),
        file("hooks/data", "x"),
        *BIN,
    )
    assert found == {
        "/app": "!config.cmd",
        "/bin/sh": "!script.interpreter",
        "/hooks": "script.path",
        "/hooks/10.sh": "!script.directory script.path",
        "/hooks/data": "script.path",
        "/usr/bin/sed": "!script.command",
    }


def test_what_is_read_out_of_a_directory_is_shell_text_too() -> None:
    script = '#!/bin/sh\nfor f in /hooks/*; do case "$f" in *.sh) . "$f";; esac; done\n'
    plan = planned(
        {"Cmd": ["/app"]},
        [file("app", script, mode=0o755), file("hooks/10.sh", "sed x\n"), *BIN],
    )
    found = reasons(plan, without=ALWAYS)
    assert found["/usr/bin/sed"] == "!script.command"
    assert gaps(plan) == []


def test_directories_of_everybody_are_not_gone_through() -> None:
    script = '#!/bin/sh\nfor f in /usr/bin/*; do "$f"; done\n'
    plan = planned({"Cmd": ["/app"]}, [file("app", script, mode=0o755), *BIN])
    assert "/usr/bin/sed" not in plan.keep.kept


def test_a_file_that_a_script_appends_to_stays() -> None:
    script = '#!/bin/sh\n: "${JOURNAL:=/srv/x/journal}"\nls >> "$JOURNAL"\n'
    found = kept(
        file("app", script, mode=0o755),
        file("srv/x/journal", "yesterday"),
        file("srv/x/other", "nothing"),
        *BIN,
    )
    assert found["/srv/x/journal"] == "script.path script.writes"
    assert "/srv/x/other" not in found


@pytest.mark.parametrize(("user", "expected"), [("7", ["/opt/work"]), ("", [])])
def test_an_empty_directory_of_a_user_is_written(user: str, expected: list[str]) -> None:
    members = [
        program("app"),
        directory("opt/work", uid=7, gid=7),
        directory("opt/full", uid=7, gid=7),
        "opt/full/x",
        directory("opt/roots", mode=0o700),
        directory("opt/packages", uid=7, gid=7),
        *dpkg(x="/opt/packages"),
    ]
    plan = planned({"Cmd": ["/app"], "User": user}, members)
    assert [one.path for one in plan.keep.writes if one.reason.rule == "skeleton.given"] == expected


@pytest.mark.parametrize("written", ["serve", "$(which serve)", '"$(command -v serve)"'])
def test_a_program_that_a_script_goes_on_as_brings_its_package(written: str) -> None:
    found = kept(
        file("app", f"#!/bin/sh\nset -e\nexec {written} --now\n", mode=0o755),
        program("usr/sbin/serve"),
        *dpkg(serve="/usr/sbin/serve /etc/serve /etc/serve/types"),
        "etc/serve/types",
        *BIN,
    )
    assert found["/etc/serve/types"] == "package.data"


def test_a_program_that_is_kept_by_its_name_brings_its_package() -> None:
    members = [
        program("app"),
        file("usr/bin/tool", compiled("int main(void) { return 0; }"), mode=0o755),
        *libc(),
        *dpkg(tool="/usr/bin/tool /etc/tool /etc/tool/rc"),
        "etc/tool/rc",
    ]
    plan = planned({"Cmd": ["/app"]}, members, options=Options(keep=("/usr/bin/tool",)))
    assert reasons(plan, without=ALWAYS)["/etc/tool/rc"] == "package.data"


def test_a_link_to_what_an_engine_mounts_is_not_missing() -> None:
    plan = planned(
        {"Cmd": ["/app"], "WorkingDir": "/srv/app"},
        [program("app"), "srv/app/log -> /dev/stdout", "srv/app/fd -> /proc/self/fd", "srv/app/x"],
    )
    assert gaps(plan) == []
    assert {"/srv/app/log", "/srv/app/fd"} <= plan.keep.kept.keys()
