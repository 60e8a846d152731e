"""Names among the texts of programs and libraries, and whose programs they count in."""

# ruff: noqa: S108 (/tmp is the image's)

from __future__ import annotations

import pytest
from closure.kit import left_out, planned, reasons
from filetree.kit import Member, Members, directory, file

from analyzers.kit import LIBRARIES, compiled, libc
from analyzers.test_data import dpkg
from analyzers.test_elf_needed import needing
from minify.filetree import ImagePath
from minify.pipeline import Options
from minify.planning import Plan

_LIB = "usr/lib/x86_64-linux-gnu"


def saying(*texts: str, calls: tuple[str, ...] = (), name: str = "usr/bin/app") -> Member:
    """A program with these strings, which refers to functions."""
    return file(name, compiled(_source(texts, calls), "-Wl,--export-dynamic"), mode=0o755)


def shared(*texts: str, calls: tuple[str, ...] = (), name: str) -> Member:
    """A library with these strings."""
    return file(name, compiled(_source(texts, calls), "-shared", "-fPIC"))


def _source(texts: tuple[str, ...], calls: tuple[str, ...]) -> str:
    said = "".join(f'const char *t{n} = "{text}";\n' for n, text in enumerate(texts))
    called = "".join(f"extern int {name}(); void *p_{name} = {name};\n" for name in calls)
    return f"{said}{called}int main() {{ return 0; }}"


def decided(*members: Member | str, database: bool = True, **options: object) -> Plan:
    known = dpkg(app="/usr/bin/app /usr/lib/app", other="/usr/lib/other /usr/lib/libother.so.1")
    chosen = Options(**options)  # type: ignore[arg-type]
    found = [*members, *libc(), *(known if database else [])]
    return planned({"Cmd": ["/usr/bin/app"]}, found, options=chosen)


def by_strings(plan: Plan) -> dict[str, str]:
    """What is kept by these rules, and what they leave out in brackets."""
    kept = {
        path: " ".join(rule for rule in rules.split() if rule.startswith("strings."))
        for path, rules in reasons(plan).items()
    }
    out = {f"[{path}]": why for path, why in left_out(plan).items()}
    return {path: rules for path, rules in (kept | out).items() if rules}


def test_a_path_among_the_strings_is_a_file_that_is_opened() -> None:
    texts = ("/opt/x/data", "/opt/x/none", "see /opt/x/sentence", "/usr/share/doc/x", "/etc/shadow")
    files = ["opt/x/data", "opt/x/sentence", "usr/share/doc/x", "etc/shadow", "opt/x/other"]
    plan = decided(saying(*texts), *files)
    assert by_strings(plan) == {"/opt/x/data": "strings.file"}
    (reason,) = plan.keep.kept[ImagePath("/opt/x/data")].reasons
    assert (reason.by, reason.detail) == ("/usr/bin/app", "contains /opt/x/data")


def test_a_program_among_the_strings_counts_in_the_application_s_own_files_only() -> None:
    library = shared("/usr/bin/helper", "/etc/other.conf", name="usr/lib/libother.so.1")
    tool = file("usr/bin/helper", "#!/bin/none\n", mode=0o755)
    opened = saying("/usr/lib/libother.so.1")
    assert by_strings(decided(opened, library, tool, "etc/other.conf")) == {
        "/etc/other.conf": "strings.file",
        "/usr/lib/libother.so.1": "strings.file",
        "[/usr/bin/helper]": "guessed strings.program",
    }
    own = saying("/usr/bin/helper")
    assert by_strings(decided(own, tool)) == {"/usr/bin/helper": "strings.program"}


TREE: Members = [
    "usr/lib/app/modules/a.so",
    "usr/lib/app/modules/a.la",
    "usr/lib/app/modules/a.a",
    "usr/lib/app/modules/include/a.h",
    "usr/lib/app/modules/deep/b.so",
    "usr/lib/other/c.so",
]


def test_a_directory_of_its_own_is_kept_without_what_is_for_people() -> None:
    plan = decided(saying("/usr/lib/app/modules", "/usr/lib/other/", "/usr/lib"), *TREE)
    modules = "/usr/lib/app/modules"
    assert by_strings(plan) == {
        modules: "strings.directory",
        f"{modules}/a.la": "strings.directory",
        f"{modules}/a.so": "strings.directory",
        f"{modules}/deep/b.so": "strings.directory",
        "[/usr/lib/other]": "guessed strings.directory",
    }
    details = {reason.detail for reason in plan.keep.kept[ImagePath(f"{modules}/a.so")].reasons}
    assert f"contains {modules}, a directory of modules" in details


def test_what_the_loader_reads_is_no_name_to_open() -> None:
    source = "int main() { return 0; }"
    flags = ("-Wl,-rpath,/opt/a:/opt/b", "-Wl,--audit,/opt/c/audit.so")
    app = file("usr/bin/app", compiled(source, *flags), mode=0o755)
    assert by_strings(decided(app, "opt/a/x", "opt/b/y", "opt/c/audit.so")) == {}


def test_lists_of_directories_are_taken_apart() -> None:
    plan = decided(saying("/opt/a:/opt/b:/etc"), "opt/a/x", "opt/b/y")
    assert by_strings(plan) == dict.fromkeys(
        ("/opt/a", "/opt/a/x", "/opt/b", "/opt/b/y"), "strings.directory"
    )


@pytest.mark.parametrize("text", ["/", "/usr/lib", "/etc", "/tmp/x", "/var/lib/dpkg", "/root/x"])
def test_directories_of_everybody_are_not(text: str) -> None:
    members = ["tmp/x/y", "etc/a", "root/x/y", "var/lib/dpkg/arch"]
    assert by_strings(decided(saying(text), *members)) == {}


def test_a_library_among_the_strings_is_opened_with_what_it_needs() -> None:
    needed = shared(name=f"{_LIB}/libneeded.so.2")
    plug = shared(name=f"{_LIB}/libplug.so.1")
    members = [plug, needed, file("etc/ld.so.cache", "")]
    opens = saying("libplug.so.1", "libnone.so.1", calls=("dlopen",))
    plan = decided(opens, *members)
    assert by_strings(plan) == {f"/{_LIB}/libplug.so.1": "strings.library"}
    assert by_strings(decided(saying("libplug.so.1"), *members)) == {}


def test_a_library_s_guess_is_left_out() -> None:
    other = shared("libplug.so.1", calls=("dlopen",), name="usr/lib/libother.so.1")
    plan = decided(saying("/usr/lib/libother.so.1"), other, shared(name=f"{_LIB}/libplug.so.1"))
    assert by_strings(plan) == {
        "/usr/lib/libother.so.1": "strings.file",
        f"[/{_LIB}/libplug.so.1]": "guessed strings.library",
    }


def test_a_library_of_a_package_that_is_depended_on_is_no_guess() -> None:
    other = shared("libplug.so.1", "libfar.so.1", calls=("dlopen",), name="usr/lib/libother.so.1")
    app, libraries = saying("/usr/lib/libother.so.1"), ("libplug.so.1", "libfar.so.1")
    depends = {"app": "", "other": "Depends: plug\n", "plug": "", "far": ""}
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\n{more}\n" for name, more in depends.items()
    )
    lists = {"app": "/usr/bin/app", "other": "/usr/lib/libother.so.1"}
    lists |= {name: f"/{_LIB}/lib{name}.so.1" for name in ("plug", "far")}
    members = [file(f"var/lib/dpkg/info/{name}.list", path) for name, path in lists.items()]
    members += [shared(name=f"{_LIB}/{name}") for name in libraries]
    members += [app, other, file("var/lib/dpkg/status", status), *libc()]
    assert by_strings(planned({"Cmd": ["/usr/bin/app"]}, members)) == {
        "/usr/lib/libother.so.1": "strings.file",
        f"/{_LIB}/libplug.so.1": "strings.library",
        f"[/{_LIB}/libfar.so.1]": "guessed strings.library",
    }


def test_a_library_that_the_process_has_is_no_new_one() -> None:
    source = _source(("libc.so.6",), calls=("dlopen",))
    other = file("usr/lib/libother.so.1", compiled(source, "-shared", "-fPIC", "-nostdlib"))
    plan = decided(file("usr/bin/app", needing("libother.so.1"), mode=0o755), other)
    assert "/usr/lib/libother.so.1" in plan.keep.kept
    assert by_strings(plan) == {}


def test_a_module_without_lib_counts_for_the_application() -> None:
    opens = saying("plug.so", calls=("dlopen",))
    plan = decided(opens, shared(name=f"{_LIB}/plug.so"))
    assert by_strings(plan) == {f"/{_LIB}/plug.so": "strings.library"}


def test_the_first_word_of_a_command_is_run() -> None:
    tools = [file(f"usr/bin/{name}", "\x7f", mode=0o755) for name in ("locale", "could", "ls")]
    shell = file("bin/sh", "\x7f", mode=0o755)
    run = saying("locale -a", "could not open %s", "ls", calls=("popen",))
    plan = decided(run, *tools, shell)
    assert by_strings(plan) == {"/usr/bin/locale": "strings.command"}
    (reason,) = plan.keep.kept[ImagePath("/usr/bin/locale")].reasons
    assert reason.detail == "calls popen and contains 'locale -a'"
    assert by_strings(decided(saying("locale -a"), *tools)) == {}


@pytest.mark.parametrize(
    ("call", "bare"),
    [
        ("execv", {"[/usr/bin/app-tool]": "guessed strings.sibling"}),
        # What is looked up in PATH needs no directory: groff's troff.
        ("execvp", {"/usr/bin/app-tool": "strings.sibling"}),
    ],
)
def test_a_program_beside_it_is_started_by_a_name_that_is_put_together(
    call: str, bare: dict[str, str]
) -> None:
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: 1\n{more}\n"
        for name, more in {
            "app": "Depends: asker | none\n",
            "app-agent": "Source: app\n",
            "asker": "",
            "other": "",
        }.items()
    )
    texts = ("/build/app-agent", "/asker", "/other", "/none", "app-tool")
    plan = planned(
        {"Cmd": ["/usr/bin/app"]},
        [
            saying(*texts, calls=(call,)),
            *(file(f"usr/bin/{name}", "x", mode=0o755) for name in ("app-agent", "app-tool")),
            *(file(f"usr/bin/{name}", "x", mode=0o755) for name in ("asker", "other")),
            file("var/lib/dpkg/status", status),
            file("var/lib/dpkg/info/app.list", "/usr/bin/app\n"),
            file("var/lib/dpkg/info/app-agent.list", "/usr/bin/app-agent\n/usr/bin/app-tool\n"),
            file("var/lib/dpkg/info/asker.list", "/usr/bin/asker\n"),
            file("var/lib/dpkg/info/other.list", "/usr/bin/other\n"),
            *libc(),
        ],
    )
    assert by_strings(plan) == {
        "/usr/bin/app-agent": "strings.sibling",
        "/usr/bin/asker": "strings.sibling",
        **bare,
    }


def test_texts_without_an_end_are_cut_where_the_image_has_a_name() -> None:
    data = b"x\xff Go buildinf:/etc/app/app.confinvalid argument/opt/none/x/usr/share/x/ydir"
    app = file("usr/bin/app", compiled("int main(){return 0;}", "-static") + data, mode=0o755)
    plan = decided(app, "etc/app/app.conf", "etc/app/app.c", directory("usr/share/x/y"))
    assert by_strings(plan) == {"/etc/app/app.conf": "strings.unterminated"}


@pytest.mark.parametrize(("name", "is_kept"), [("opt/lib/plug.so", True), ("usr/lib/x.so", False)])
def test_without_a_package_database_places_say_what_is_the_application_s(
    name: str,
    is_kept: bool,  # noqa: FBT001
) -> None:
    opener = shared("/opt/tree", name=name)
    plan = decided(saying(f"/{name}"), opener, "opt/tree/x", database=False)
    assert ("/opt/tree/x" in plan.keep.kept) is is_kept


def test_without_a_package_database_layers_say_what_is_the_application_s() -> None:
    base: Members = [*libc(), shared("/opt/base", name=f"{_LIB}/libbase.so.1"), "opt/base/x"]
    app: Members = [
        saying(f"/{_LIB}/libbase.so.1", f"/{_LIB}/libown.so.1"),
        shared("/opt/own", name=f"{_LIB}/libown.so.1"),
        "opt/own/x",
    ]
    plan = planned({"Cmd": ["/usr/bin/app"]}, base, app)
    assert "/opt/own/x" in plan.keep.kept
    assert "/opt/base/x" not in plan.keep.kept


def test_a_metapackage_stands_for_the_code_of_the_same_upstream() -> None:
    status = (
        "Package: serve\nSource: serve-defaults\nDepends: serve9 (>= 9), libc6 | x\n"
        "Status: install ok installed\n\nPackage: serve9\nStatus: install ok installed\n\n"
        "Package: libc6\nStatus: install ok installed\n"
    )
    members: Members = [
        *libc(),
        saying("/usr/lib/serve9/core.so"),
        shared("/usr/lib/serve9/data", name="usr/lib/serve9/core.so"),
        "usr/lib/serve9/data/x",
        file("var/lib/dpkg/status", status),
        file("var/lib/dpkg/info/serve.list", "/usr/bin/app\n"),
        file("var/lib/dpkg/info/serve9.list", "/usr/lib/serve9/core.so\n/usr/lib/serve9/data\n"),
        file("var/lib/dpkg/info/libc6.list", f"{LIBRARIES}/libc.so.6\n"),
    ]
    plan = planned({"Cmd": ["/usr/bin/app"]}, members)
    assert "/usr/lib/serve9/data/x" in plan.keep.kept
