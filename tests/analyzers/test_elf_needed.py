"""The closure of real ELF files: hard for programs, soft for plug-ins."""

import re
import tempfile
from pathlib import Path

import pytest
from closure.kit import gaps, planned, reasons, why
from filetree.kit import Member, file

from analyzers.kit import LIBRARIES, LOADER, calling, compiled, libc
from minify.errors import ClosureError
from minify.pipeline import Options

EM_S390 = 22
ALWAYS = ("parent", "skeleton.standard", "base.identity")


def library(name: str, *flags: str) -> Member:
    soname = f"-Wl,-soname,{name.rpartition('/')[2]}"
    return file(name, compiled("int f(void){return 1;}", "-shared", "-fPIC", soname, *flags))


def needing(soname: str, *flags: str, shared: bool = False) -> bytes:
    """An ELF file with one more DT_NEEDED, for which no file exists when it is linked."""
    kind = ("-shared", "-fPIC") if shared else ()
    stub = compiled("int f(void){return 1;}", "-shared", "-fPIC", f"-Wl,-soname,{soname}")
    body = "extern int f(void); int g(void){return f();}"
    return linked(body if shared else f"{body} int main(){{return g();}}", stub, kind + flags)


def linked(source: str, stub: bytes, flags: tuple[str, ...] = ()) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "libstub.so")
        path.write_bytes(stub)
        return compiled(source, *flags, str(path))


def test_a_program_brings_interpreter_and_libraries() -> None:
    app = file("app", needing("libz.so.1"), mode=0o755)
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), library("usr/lib/libz.so.1")])
    assert reasons(plan, without=ALWAYS) == {
        "/app": "!config.cmd",
        LOADER: "!elf.interpreter",
        f"{LIBRARIES}/libc.so.6": "!elf.needed",
        "/usr/lib/libz.so.1": "!elf.needed",
    }
    assert why(plan, "/usr/lib/libz.so.1") == ["/usr/lib/libz.so.1: elf.needed", "/app: config.cmd"]


@pytest.mark.parametrize("missing", [LOADER, f"{LIBRARIES}/libc.so.6", "/usr/lib/libz.so.1"])
def test_a_missing_library_is_named_with_who_needs_it(missing: str) -> None:
    members = [
        file("app", needing("libz.so.1"), mode=0o755),
        *libc(),
        library("usr/lib/libz.so.1"),
    ]
    without = [member for member in members if f"/{member.name}" != missing]
    name = re.escape(missing.rpartition("/")[2])
    with pytest.raises(ClosureError, match=f"/app needs .*{name}"):
        planned({"Cmd": ["/app"]}, without)


def test_a_plugin_with_an_unmet_need_is_a_gap() -> None:
    plugin = file("plugins/p.so", needing("libnope.so.1", shared=True))
    app = calling("puts")
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), plugin], options=Options(keep=("/plugins",)))
    (gap,) = gaps(plan)
    assert gap.startswith("/plugins/p.so: DT_NEEDED libnope.so.1: libnope.so.1 is missing")
    assert reasons(plan)["/plugins/p.so"] == "user.keep"


def test_a_plugin_for_another_machine_is_no_gap() -> None:
    built = needing("libnope.so.1", shared=True)
    plugin = file("plugins/p.so", built[:18] + EM_S390.to_bytes(2, "little") + built[20:])
    app = calling("puts")
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), plugin], options=Options(keep=("/plugins",)))
    assert gaps(plan) == []
    assert reasons(plan)["/plugins/p.so"] == "user.keep"


def test_what_the_program_has_loaded_satisfies_a_plugin() -> None:
    # libb.so is found by the program's RUNPATH, which is nothing to the plug-in's own search.
    app = file("app/run", needing("libb.so", "-Wl,-rpath,/opt/b"), mode=0o755)
    plugin = file("plugins/p.so", needing("libb.so", shared=True))
    members = [app, *libc(), plugin, library("opt/b/libb.so")]
    plan = planned({"Cmd": ["/app/run"]}, members, options=Options(keep=("/plugins",)))
    assert gaps(plan) == []


_LAUNCHER = """
#include <dlfcn.h>
int main(void){return dlopen("/opt/vm/server/libvm.so", RTLD_NOW | RTLD_GLOBAL) != 0;}
"""


@pytest.mark.parametrize(
    "body", [_LAUNCHER, "int main(void){return 0;}"], ids=["opens", "does not"]
)
def test_what_a_launcher_opens_by_its_path_satisfies_what_lies_beside(body: str) -> None:
    plugin = file("opt/vm/libnet.so", needing("libvm.so", shared=True))
    app = file("opt/vm/bin/run", compiled(body), mode=0o755)
    members = [app, *libc(), plugin, library("opt/vm/server/libvm.so")]
    options = Options(keep=("/opt/vm/libnet.so",))
    plan = planned({"Cmd": ["/opt/vm/bin/run"]}, members, options=options)
    if body == _LAUNCHER:
        assert gaps(plan) == []
        assert "elf.plugin" in reasons(plan)["/opt/vm/server/libvm.so"]
    else:
        (gap,) = gaps(plan)
        assert gap.startswith("/opt/vm/libnet.so: DT_NEEDED libvm.so: libvm.so is missing")


def test_a_library_of_a_plugin_is_judged_in_the_plugins_context() -> None:
    # As a wheel has them: only the extension's RPATH says where the libraries are.
    rpath = ("-Wl,--disable-new-dtags", "-Wl,-rpath,/opt/x.libs")
    members = [
        calling("puts"),
        *libc(),
        file("opt/x/ext.so", needing("libfortran.so", *rpath, shared=True)),
        file("opt/x.libs/libfortran.so", needing("libquad.so", shared=True)),
        library("opt/x.libs/libquad.so"),
    ]
    plan = planned({"Cmd": ["/app"]}, members, options=Options(keep=("/opt/x", "/opt/x.libs")))
    assert gaps(plan) == []
    plan = planned({"Cmd": ["/app"]}, members[:-1], options=Options(keep=("/opt/x", "/opt/x.libs")))
    (gap,) = gaps(plan)
    assert gap.startswith("/opt/x.libs/libfortran.so: DT_NEEDED libquad.so: libquad.so is missing")


def test_a_plugin_for_which_the_image_has_no_loader_is_no_gap() -> None:
    # An add-on comes for musl and for other machines as well.
    plugin = file("plugins/p.so", needing("libc.musl-x86_64.so.1", shared=True))
    plan = planned(
        {"Cmd": ["/app"]}, [calling("puts"), *libc(), plugin], options=Options(keep=("/plugins",))
    )
    assert gaps(plan) == []


def test_a_gap_names_its_file() -> None:
    plugin = file("plugins/p.so", needing("libnope.so.1", shared=True))
    app = calling("puts")
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), plugin], options=Options(keep=("/plugins",)))
    (gap,) = plan.gaps
    assert gap.reason.detail.startswith("/plugins/p.so: DT_NEEDED libnope.so.1")


def test_a_link_in_a_tree_that_leads_nowhere_is_no_gap() -> None:
    members: list[Member | str] = [calling("puts"), *libc(), "srv/tree/gone -> /usr/share/gone"]
    plan = planned({"Cmd": ["/app"]}, members, options=Options(keep=("/srv/tree",)))
    assert (gaps(plan), reasons(plan)["/srv/tree/gone"]) == ([], "user.keep")


def test_a_library_that_a_program_loads_is_judged_in_that_programs_context() -> None:
    # Its own search finds nothing in /opt; the program's RPATH does.
    rpath = ("-Wl,--disable-new-dtags", "-Wl,-rpath,/opt")
    app = file("app", needing("liba.so", *rpath), mode=0o755)
    members = [
        file("opt/liba.so", needing("libb.so", shared=True)),
        library("opt/libb.so"),
    ]
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), *members])
    assert gaps(plan) == []
    assert reasons(plan)["/opt/libb.so"] == "!elf.needed"


def test_a_damaged_program_is_refused() -> None:
    app = file("app", b"\x7fELF" + b"\xff" * 100, mode=0o755)
    with pytest.raises(ClosureError, match="/app is a damaged ELF file"):
        planned({"Cmd": ["/app"]}, [app])


def _versioned(script: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "script")
        path.write_text(script)
        flags = ("-shared", "-fPIC", "-Wl,-soname,libv.so.1", f"-Wl,--version-script={path}")
        return compiled("int f(void){return 1;}", *flags)


_NEW_BUILD = "V_1 { }; V_2 { global: f; } V_1;"
_OLD_BUILD = "V_1 { global: f; };"


def test_an_older_build_of_a_library_is_refused_with_the_version_it_lacks() -> None:
    body = "extern int f(void); int main(void){return f();}"
    app = file("app", linked(body, _versioned(_NEW_BUILD), ()), mode=0o755)
    members = [app, *libc(), file("usr/lib/libv.so.1.0", _versioned(_NEW_BUILD))]
    plan = planned({"Cmd": ["/app"]}, [*members, "usr/lib/libv.so.1 -> libv.so.1.0"])
    assert reasons(plan)["/usr/lib/libv.so.1.0"] == "!elf.needed"
    members[-1] = file("usr/lib/libv.so.1.0", _versioned(_OLD_BUILD))
    with pytest.raises(ClosureError) as refused:
        planned({"Cmd": ["/app"]}, [*members, "usr/lib/libv.so.1 -> libv.so.1.0"])
    assert str(refused.value) == (
        "/app needs libv.so.1 with version V_2 (DT_VERNEED V_2 of libv.so.1);"
        " looked in /usr/lib/libv.so.1.0; it defines V_1 at most"
    )
    assert refused.value.exit_code == 3


def test_a_plugin_that_needs_a_newer_build_is_a_gap() -> None:
    body = "extern int f(void); int g(void){return f();}"
    plugin = linked(body, _versioned(_NEW_BUILD), ("-shared", "-fPIC"))
    members = [file("plugins/p.so", plugin), file("usr/lib/libv.so.1", _versioned(_OLD_BUILD))]
    options = Options(keep=("/plugins",))
    plan = planned({"Cmd": ["/app"]}, [calling("puts"), *libc(), *members], options=options)
    (gap,) = gaps(plan)
    assert gap == (
        "/plugins/p.so: DT_VERNEED V_2 of libv.so.1: libv.so.1 with version V_2 is missing in the"
        " source; looked in /usr/lib/libv.so.1"
    )


def test_an_auditor_is_kept_with_what_it_needs() -> None:
    loader = file(f"{LIBRARIES[1:]}/{LOADER.rpartition('/')[2]}", Path(LOADER).read_bytes())
    app = calling("puts", flags=("-Wl,--audit,/opt/audit.so",))
    auditor = file("opt/audit.so", needing("libq.so", "-Wl,-rpath,/opt", shared=True))
    plan = planned({"Cmd": ["/app"]}, [app, *libc(), loader, auditor, library("opt/libq.so")])
    assert reasons(plan)["/opt/audit.so"] == "!elf.needed"
    assert reasons(plan)["/opt/libq.so"] == "!elf.needed elf.plugin"


def test_a_dropped_library_is_reported_and_asks_for_nothing() -> None:
    app = file("app", needing("libz.so.1"), mode=0o755)
    options = Options(drop=("/usr/lib/libz.so.1",))
    members = [app, *libc(), library("usr/lib/libz.so.1")]
    plan = planned({"Cmd": ["/app"]}, members, options=options)
    assert "/usr/lib/libz.so.1" not in plan.keep.kept
    assert list(plan.keep.overruled) == ["/usr/lib/libz.so.1"]
