from __future__ import annotations

from textwrap import dedent

import pytest
from analyzers.kit import calling, libc
from analyzers.test_python import CONFIG, MAIN, PYTHON
from filetree.kit import Members, directory, file, image_of, symlink

import minify
from minify.build import BuildOptions, build_image
from minify.closure import Likelihood
from minify.errors import UsageError
from minify.filetree import FileTree
from minify.pipeline import Options, explain_image, plan_image
from minify.report.lookup import pattern
from minify.report.sections import left_out_section
from minify.report.why import answers
from minify.report.why_text import refusals
from report.kit import APP, RUN, TOOL, explained, why

GUESSED = Options(keep_dlopen=Likelihood.GUESSED)


def said(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_a_kept_file_has_its_chain_from_the_entrypoint() -> None:
    assert why(explained([APP], [TOOL]), "/bin/tool") == said("""
        /bin/tool is kept: the program surely uses it
          what     file, 1 byte, mode 0755, owner 0:0, layer 2 of 2
          because
            the image's configuration
            └ /app (config.cmd: CMD /app)
              └ /bin/tool (script.interpreter: #!/bin/tool)
        """)


def test_links_on_the_way_are_shown() -> None:
    links: Members = [
        "bin -> usr/bin",
        "usr/bin/t -> tool",
        file("usr/bin/tool", "\x7f", mode=0o755),
    ]
    assert why(explained([APP, *links]), "/bin/t") == said("""
        /usr/bin/tool is kept: the program surely uses it
          asked    /bin/t
          links    /bin -> usr/bin
                   /usr/bin/t -> tool, dropped
          what     file, 1 byte, mode 0755, owner 0:0, layer 1 of 1
          because
            the image's configuration
            └ /app (config.cmd: CMD /app)
              └ /usr/bin/tool (script.interpreter: #!/bin/tool)
        """)


DPKG = [
    file("var/lib/dpkg/status", "Package: doc\nStatus: install ok installed\nVersion: 1.2-3\n"),
    file("var/lib/dpkg/info/doc.list", "/opt\n/opt/doc\n"),
]


def test_a_dropped_file_has_its_package_and_the_flag_that_keeps_it() -> None:
    explanation = explained([APP, TOOL, "opt/doc: text", *DPKG])
    assert why(explanation, "/opt/doc") == said("""
        /opt/doc is dropped: nothing that is kept needs it
          what     file, 4 bytes, mode 0644, owner 0:0, layer 1 of 1
          package  doc 1.2-3
          to keep  --keep /opt/doc
        """)


def test_what_drop_took_says_who_needs_it() -> None:
    options = Options(drop=("/none*", "/bin"))
    explanation = explained([APP, TOOL, "bin/x", "none"], options=options)
    assert why(explanation, "/bin/tool", "/bin/x", "/bin") == said("""
        /bin/tool is dropped by --drop /bin, although the program surely uses it
          what     file, 1 byte, mode 0755, owner 0:0, layer 1 of 1
          needed
            script.interpreter: #!/bin/tool, by /app

        /bin/x is dropped by --drop /bin, and nothing would need it
          what     file, 0 bytes, mode 0644, owner 0:0, layer 1 of 1

        /bin is dropped by --drop /bin, and nothing would need it
          what     directory, mode 0755, owner 0:0
          below    0 of 2 entries stay, 0.0 kB of 0.0 kB
        """)


def test_a_kept_directory_says_how_much_below_it_stays() -> None:
    explanation = explained(
        [APP, TOOL, directory("data"), "data/a: 1", "data/b: 22", "data/c/d: 333"],
        options=Options(keep=("/data/c", "/data/b")),
    )
    assert why(explanation, "/data", "/data/b") == said("""
        /data is kept: the program may use it
          what     directory, mode 0755, owner 0:0, layer 1 of 1
          below    3 of 4 entries stay, 0.0 kB of 0.0 kB
          because
            the command line
            └ /data/b (user.keep: --keep /data/b)
              └ /data (parent: holds it)

        /data/b is kept: the program surely uses it
          what     file, 2 bytes, mode 0644, owner 0:0, layer 1 of 1
          because
            the command line
            └ /data/b (user.keep: --keep /data/b)
        """)


def test_all_reasons_are_counted_and_listed_when_asked_for() -> None:
    scripts = [file(f"s{number}", "#!/bin/tool\n", mode=0o755) for number in range(3)]
    explanation = explained([TOOL, *scripts], run={"Cmd": ["/s0"], "Entrypoint": ["/s1"]})
    assert why(explanation, "/bin/tool") == said("""
        /bin/tool is kept: the program surely uses it
          what     file, 1 byte, mode 0755, owner 0:0, layer 1 of 1
          because
            the image's configuration
            └ /s0 (config.entrypoint: ENTRYPOINT /s1 /s0)
              └ /bin/tool (script.interpreter: #!/bin/tool)
          and      1 more reason; --all lists them
        """)
    assert why(explanation, "/bin/tool", with_all=True).splitlines()[-2:] == [
        "  and also",
        "    script.interpreter: #!/bin/tool, by /s1",
    ]


def test_what_minify_adds_is_told_from_what_was_there() -> None:
    explanation = explained([APP, TOOL])
    assert why(explanation, "/tmp") == said("""
        /tmp is added by minify
          what     directory, mode 1777, owner 0:0
          below    nothing
          changed  added: a directory for temporary files
        """)  # noqa: S108 (of the image)


def test_of_a_minified_image_everything_was_decided_before() -> None:
    image = image_of(RUN, [APP, TOOL, "etc/data"])
    decided = plan_image(image, Options(keep=("/etc/data",)))
    slim = build_image(decided, FileTree.from_layers(image.layers), BuildOptions("slim"))
    assert why(explain_image(slim), "/etc/data") == said("""
        /etc/data is kept: the program may use it
          what     file, 0 bytes, mode 0644, owner 0:0, layer 1 of 1
          because
            the image's configuration
            └ / (minified: the image is minified already)
              └ /etc/data (minified: in /, kept whole)
        """)


def test_a_link_that_leads_nowhere_is_the_end_itself() -> None:
    links: Members = ["opt/l -> gone", "opt/loop -> loop", "opt/log -> /dev/stdout"]
    explanation = explained([APP, TOOL, *links])
    assert why(explanation, "/opt/log", "/opt/l", "/opt/loop") == said("""
        /opt/log is dropped: nothing that is kept needs it
          what     symlink -> /dev/stdout, which the runtime provides, owner 0:0, layer 1 of 1

        /opt/l is dropped: nothing that is kept needs it
          what     symlink -> gone, which leads nowhere, owner 0:0, layer 1 of 1

        /opt/loop is dropped: nothing that is kept needs it
          what     symlink -> loop, which leads nowhere, owner 0:0, layer 1 of 1
        """)


EVIL = "opt/e\x1b[31m\n[/]*\udcff\\'"


def test_hostile_names_are_escaped_and_can_still_be_kept() -> None:
    assert why(explained([APP, TOOL, EVIL]), f"/{EVIL}") == said(r"""
        /opt/e\x1b[31m\x0a[/]*\xff\\' is dropped: nothing that is kept needs it
          what     file, 0 bytes, mode 0644, owner 0:0, layer 1 of 1
          to keep  --keep '/opt/e?[[]31m?[[]/][*]??'"'"''
        """)
    kept = explained([APP, TOOL, EVIL], options=Options(keep=(pattern(f"/{EVIL}"),)))
    assert f"/{EVIL}" in kept.result.plan.keep.kept


def test_hostile_targets_and_packages_are_escaped() -> None:
    status = "Package: a\x1b[2J\nStatus: install ok installed\nVersion: 1\x9b\n"
    members = [
        file("var/lib/dpkg/status", status),
        file("var/lib/dpkg/info/a\x1b[2J.list", "/opt\n/opt/l\n"),
        symlink("opt/l", "e\x1b[31m\n"),
    ]
    assert why(explained([APP, TOOL, *members]), "l") == said(r"""
        /opt/l is dropped: nothing that is kept needs it
          asked    l
          what     symlink -> e\x1b[31m\x0a, which leads nowhere, owner 0:0, layer 1 of 1
          package  a\x1b[2J 1\x9b
        """)


def test_a_deep_chain_is_not_indented_without_end() -> None:
    chain = [file(f"s{number}", f"#!/s{number + 1}\n", mode=0o755) for number in range(40)]
    explanation = explained([*chain, file("s40", "\x7f", mode=0o755)], run={"Cmd": ["/s0"]})
    lines = why(explanation, "/s40").splitlines()
    assert len(lines) == 4 + 20 + 1 + 20
    assert lines[24] == " " * 36 + "… 1 more; --all shows them"
    assert lines[-1] == " " * 36 + "└ /s40 (script.interpreter: #!/s40)"
    whole = why(explanation, "/s40", with_all=True).splitlines()
    assert len(whole) == 4 + 41
    assert [line.strip().split()[1] for line in whole[4:]] == [f"/s{n}" for n in range(41)]


NAMES = [
    *("usr/lib/libz.so.1 -> libz.so.1.2", "usr/lib/libz.so.1.2", "opt/app/", "srv/app/x"),
    *("l -> /opt/gone", "opt/tool", "usr/share/doc/tool/"),
]


@pytest.mark.parametrize(
    ("asked", "path", "others"),
    [
        ("libz.so.1", "/usr/lib/libz.so.1.2", ()),
        ("lib/libz.so.1", "/usr/lib/libz.so.1.2", ()),
        ("srv/app", "/srv/app", ()),
        ("srv/app/", "/srv/app", ()),
        ("tool", "/bin/tool", ("/opt/tool", "/usr/share/doc/tool")),
        ("opt/tool", "/opt/tool", ()),
        ("/usr/lib/../lib/libz.so.1", "/usr/lib/libz.so.1.2", ()),
        ("/", "/", ()),
        ("/tmp/", "/tmp", ()),  # noqa: S108 (of the image)
        ("l", "/l", ()),
    ],
)
def test_a_name_is_what_path_finds_or_the_only_one(
    asked: str, path: str, others: tuple[str, ...]
) -> None:
    (answer,) = minify.why(explained([APP, TOOL, *NAMES]), asked)
    assert (answer.asked, answer.path, answer.others) == (asked, path, others)


NONE = "the image has no such path"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("app", "app: the image has 3 of that name; say which with its whole path"),
        ("n*pe", "n*pe: nothing in the image matches"),
        ("/bin/x*/y", "/bin/x*/y: nothing in the image matches"),
        ("nope", f"nope: {NONE}"),
        ("libx.so.1", f"libx.so.1: {NONE}; close to it: /usr/lib/libz.so.1, /usr/lib/libz.so.1.2"),
        ("/opt/tol", f"/opt/tol: {NONE}; close to it: /opt/tool"),
        ("/a/tol", f"/a/tol: {NONE}; close to it: /bin/tool, /opt/tool, /usr/share/doc/tool"),
        ("/lib/libz.so.1", f"/lib/libz.so.1: {NONE}; close to it: /usr/lib/libz.so.1"),
        ("/l/zz", f"/l/zz: {NONE} (/l leads to /opt/gone; /opt/gone is not there)"),
        ("/srv/app/x/", f"/srv/app/x/: {NONE}; close to it: /srv/app/x"),
        ("", "'': expected a path in the image, a name or a glob"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is_close(asked: str, said: str) -> None:
    explanation = explained([APP, TOOL, *NAMES])
    with pytest.raises(UsageError) as refused:
        minify.why(explanation, "/app", asked, asked)
    assert refused.value.lines == (said, said)


def test_what_has_an_answer_is_answered_beside_what_has_none() -> None:
    explanation = explained([APP, TOOL, *NAMES])
    given, refused = answers(explanation, "app", "/app", "nope")
    assert [answer.path for answer in given] == ["/app"]
    assert list(refusals(refused, with_all=False)) == [
        "app: the image has 3 of that name; say which with its whole path:",
        "  /app (kept)",
        "  /opt/app (dropped)",
        "  /srv/app (dropped)",
        f"nope: {NONE}",
    ]


def test_of_many_candidates_the_first_are_shown_unless_all_are_asked_for() -> None:
    _, refused = answers(explained([APP, TOOL, *(f"d{n:02}/x" for n in range(20))]), "x")
    shown = list(refusals(refused, with_all=False))
    assert len(shown) == 1 + 8 + 1
    assert shown[-1] == "  … and 12 more; --all lists them"
    assert len(list(refusals(refused, with_all=True))) == 1 + 20


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        ("/usr/*/libz*", ["/usr/lib/libz.so.1", "/usr/lib/libz.so.1.2"]),
        ("libz.so.?", ["/usr/lib/libz.so.1"]),
        ("*/app", ["/opt/app", "/srv/app"]),
        ("/srv/**", ["/srv/app", "/srv/app/x"]),
        ("/odd/[a]", ["/odd/[a]"]),
    ],
)
def test_a_glob_is_answered_for_each_match(asked: str, paths: list[str]) -> None:
    explanation = explained([APP, TOOL, *NAMES, "odd/[a]", "odd/a"])
    assert [answer.path for answer in minify.why(explanation, asked)] == paths


def test_many_matches_are_a_line_each_and_what_stays_comes_first() -> None:
    members: Members = [APP, TOOL, *(f"bin/x{number:02}" for number in range(40))]
    explanation = explained(members, options=Options(keep=("/bin/x39",)))
    lines = why(explanation, "/bin/*").splitlines()
    assert lines[:4] == [
        "/bin/* matches 41 paths: 2 kept, 39 dropped",
        "  kept     /bin/tool (script.interpreter: #!/bin/tool, by /app)",
        "  kept     /bin/x39 (user.keep: --keep /bin/x39, by the command line)",
        "  dropped  /bin/x00",
    ]
    assert lines[31:] == ["  … and 11 more; --all lists them"]
    assert len(why(explanation, "/bin/*", with_all=True).splitlines()) == 1 + 41


def test_what_no_import_reaches_says_where_it_is_and_what_keeps_it() -> None:
    run = {**CONFIG, "Cmd": ["python", "main.py"]}
    explanation = explained([*PYTHON, MAIN], run=run)
    assert why(explanation, "pip") == said("""
        /opt/venv/bin/pip is left out: no import that is followed reaches it
          asked    pip
          what     file, 34 bytes, mode 0755, owner 0:0, layer 1 of 1
          others   /opt/venv/lib/python3.11/site-packages/pip
          within   /opt/venv, which stays otherwise (runtime.python)
          to keep  --keep /opt/venv/bin/pip, or --level safe
        """)


def test_looking_for_close_names_is_bounded() -> None:
    many = explained([APP, TOOL, *(f"many/name{number:06}" for number in range(10_000))])
    with pytest.raises(UsageError):
        minify.why(many, "/many/name-000001-x")


def test_what_is_left_out_says_how_likely_it_is_and_what_keeps_it() -> None:
    gconv = "/usr/lib/x86_64-linux-gnu/gconv"
    app = calling("iconv_open")
    explanation = explained([app, *libc(), f"{gconv[1:]}/SJIS.so: 12345"])
    assert why(explanation, f"{gconv}/SJIS.so") == said(f"""
        {gconv}/SJIS.so is left out: that it is opened by name is guessed
          what     file, 5 bytes, mode 0644, owner 0:0, layer 1 of 1
          evidence
            libc.gconv-all: calls iconv_open: a user may ask for any charset, by /app
          to keep  --keep {gconv}/SJIS.so, or --keep-dlopen guessed
        """)
    line = "libc.gconv-all (guessed)"
    cost = "2 files, 0.0 kB"
    section = left_out_section(explanation.result.plan)
    assert section.title == "may be opened by name, left out; --keep-dlopen guessed keeps all of it"
    assert section.lines == (f"{line}: {gconv}: {cost}",)
    kept = explained([app, *libc(), f"{gconv[1:]}/SJIS.so: 1"], options=GUESSED)
    assert why(kept, f"{gconv}/SJIS.so").startswith(f"{gconv}/SJIS.so is kept")


def test_what_is_excluded_from_the_application_says_so_and_what_keeps_it() -> None:
    explanation = explained(
        [calling("puts", name="app/run"), *libc(), "app/.git/config: 12345"],
        run={"Cmd": ["/app/run"]},
    )
    config = "/app/.git/config"
    assert explanation.result.plan.keep.excluded[0].path == "/app/.git"
    assert why(explanation, config).splitlines()[0] == (
        f"{config} is excluded: version control data, a cache or a history, no part of the"
        " application"
    )
    assert f"to keep  --keep {config}" in why(explanation, config)
