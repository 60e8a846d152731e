"""The summary and the answer about the user, whole; JSON as its schema says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from textwrap import dedent, indent

import jsonschema
import pytest
from filetree.kit import directory, file

import minify
from minify.closure import CONFIG, Gap, Reason
from minify.filetree import ImagePath
from minify.identity import Given, Opened, Rejected, Withheld
from minify.image import Digest
from minify.pipeline import Options
from minify.report import FORMATS, Explanation, Result, running, user_text, why_json
from minify.report.sections import Section, user_sections
from report.kit import APP, TOOL, explained

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "report.schema.json").read_text()
)
EVIL = "e\x1b[31m\n[/]\udcff\\"
SAFE = r"e\x1b[31m\x0a[/]\xff\\"


def said(text: str) -> str:
    return dedent(text).lstrip("\n")


def changed() -> Explanation:
    """A result in which everything that minify changes on purpose is changed."""
    explanation = explained(
        [
            *(APP, TOOL),
            file("bin/su", "\x7f", mode=0o4755),
            directory("etc/open", mode=0o777),
            file("etc/passwd", "root:secret:0:0::/:/bin/sh\n"),
        ],
        [file("w", "1", mode=0o666)],
        run={"Cmd": ["/app"], "Labels": {"old": "1"}, "Env": ["HOME=/"]},
        options=Options(
            keep=("/bin/su", "/etc/open", "/w"),
            writable=("/srv/up",),
            env=("A=1",),
            labels=("old-", "x=y"),
            expose=("8080",),
        ),
    )
    result = explanation.result
    gaps = (Gap(Reason("identity.x", "/app", "it cannot"), "do this"), Gap(Reason("x", "/a", "y")))
    decided = replace(result.plan, gaps=gaps, warnings=("look out",))
    return replace(explanation, result=replace(result, plan=decided))


def test_the_summary_says_what_was_changed_on_purpose_and_how_to_run_it() -> None:
    result = changed().result
    ratio = result.plan.size.bytes / result.plan.source.bytes
    assert FORMATS["summary"](result) == said(f"""
        test
          size     0.0 kB → 0.1 kB ({ratio:.1%}), content of all files
          files    9 → 12
          layers   2 → 1
          user     10001 (appuser): the default: not root
          command  /app
          gaps: what may be missing or not work (2)
            it cannot — do this
            y
          warnings (1)
            look out
          the user's own now (1)
            /srv/up and what is in it, made: --writable /srv/up
          setuid and setgid bits removed (1)
            /bin/su: mode 4755 → 0755: setuid stripped
          not writable by everybody any more (2)
            /etc/open: owner 0:0 → 10001:10001, mode 0777 → 0775: was writable by everybody
            /w: owner 0:0 → 10001:10001, mode 0666 → 0664: was writable by everybody
          added or rewritten (4)
            /etc/group: added: the account of the user
            /etc/passwd: only the accounts that are needed
            /srv: added: a directory
            /tmp: added: a directory for temporary files
          configuration (4)
            LABEL old=1 removed
            LABEL x=y added
            ENV A=1 added
            EXPOSE 8080/tcp added
          run it with
            {running.docker_run(result.plan, "IMAGE")}
            - the user may write to /w too; nothing shows that the program does
        nothing was written
        """)


def test_a_dry_run_adds_every_entry_and_a_pod() -> None:
    result = changed().result
    entries, _, rest = FORMATS["plan"](result).partition("\n\n")
    assert len(entries.splitlines()) == len(result.plan.entries)
    summary = FORMATS["summary"](result).removesuffix("nothing was written\n")
    pod = indent(running.pod(result.plan), "    ")
    assert rest == f"{summary}  in a pod's spec\n{pod}nothing was written\n"


def test_the_answer_about_the_user_is_whole() -> None:
    result = changed().result
    sections = FORMATS["summary"](result).partition("    look out\n")[2]
    sections = sections.partition("  run it with")[0]
    pod = indent(running.pod(result.plan), "    ")
    assert user_text.text(result) == (
        said("""
        user 10001 (appuser): the default: not root
          source   root
          ids      uid 10001, gid 10001
          home     / (the image's ENV)
          passwd   root, appuser
          group    appuser
          gaps: what may be missing or not work (1)
            it cannot — do this
          warnings (1)
            look out
        """)
        + sections
        + indent(
            said(f"""
        run it with
          {running.docker_run(result.plan, "IMAGE")}
          - the user may write to /w too; nothing shows that the program does
        in a pod's spec
        """),
            "  ",
        )
        + pod
    )


def hostile() -> Result:
    """A decision in which every text is one that a terminal must not see."""
    result = explained([APP, TOOL, EVIL]).result
    identity = replace(
        result.plan.identity,
        user=EVIL,
        name=f"{EVIL}2",
        why=EVIL,
        passwd=(f"{EVIL}:hash:1:1::/:/bin/sh",),
        shadow=(f"{EVIL}:hash:1::::::",),
        rejected=(Rejected(EVIL, (EVIL, f"{EVIL}2")),),
        given=(Given(ImagePath(f"/{EVIL}"), Reason("r", EVIL, EVIL), is_tree=True, is_new=True),),
        withheld=(Withheld(f"/{EVIL}", Reason("r", EVIL, EVIL), EVIL),),
        opened=(Opened(ImagePath(f"/{EVIL}"), 1, 0o640, Reason("r", EVIL, EVIL)),),
        home=EVIL,
        warnings=(EVIL,),
        groups=frozenset((1, 2)),
        is_arbitrary=True,
    )
    gaps = (Gap(Reason("identity.root", EVIL, EVIL), EVIL),)
    plan = replace(result.plan, identity=identity, gaps=gaps, warnings=(EVIL,))
    return replace(result, plan=plan)


def is_safe(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("what", FORMATS)
def test_no_text_of_an_image_reaches_the_terminal_raw(what: str) -> None:
    text = FORMATS[what](hostile())
    assert is_safe(text)
    assert SAFE.replace("\\", "\\\\") if what == "json" else SAFE in text


def test_evidence_names_its_file_once() -> None:
    result = explained([APP, TOOL]).result
    given = (
        Given(ImagePath("/a"), Reason("r", "/etc/conf", "says 'dir /a'"), is_tree=True),
        Given(ImagePath("/b"), Reason("r", "/b", "named as the program"), is_tree=False),
        Given(ImagePath("/c"), Reason("r", "/x.sh", "/x.sh:3 writes /c"), is_tree=False),
        Given(ImagePath("/d"), Reason("r", CONFIG, "VOLUME /d"), is_tree=True, is_new=True),
    )
    withheld = (Withheld("/usr/x", Reason("r", "/etc/conf", "says x"), "everybody's"),)
    identity = replace(result.plan.identity, given=given, withheld=withheld)
    assert [
        section.lines for section in user_sections(replace(result.plan, identity=identity))
    ] == [
        (
            "/a and what is in it: says 'dir /a', by /etc/conf",
            "/b: named as the program",
            "/c: /x.sh:3 writes /c",
            "/d and what is in it, made: VOLUME /d",
        ),
        ("/usr/x: says x, by /etc/conf; everybody's",),
    ]


def test_no_secret_of_an_account_is_printed() -> None:
    result = hostile()
    texts = [FORMATS["json"](result), user_text.text(result), FORMATS["plan"](result)]
    assert [text for text in texts if "hash" in text] == []


def test_the_answer_about_a_hostile_user() -> None:
    text = user_text.text(hostile())
    assert is_safe(text)
    assert text.partition("  added or rewritten")[0] == said(f"""
        user {SAFE} ({SAFE}2): {SAFE}
          source   root
          ids      uid 10001, gid 10001, groups 1, 2; any other number with group 0 does too
          home     / (set, as the program had it)
          passwd   {SAFE}
          group    appuser
          shadow   {SAFE}
          users that could not run it (1)
            {SAFE}: {SAFE}; {SAFE}2
          gaps: what may be missing or not work (1)
            {SAFE} — {SAFE}
          warnings (1)
            {SAFE}
          the user's own now (1)
            /{SAFE} and what is in it, made: {SAFE}
          the program writes there, the user cannot (1)
            /{SAFE}: {SAFE}; {SAFE}
        """)


def test_every_document_is_as_its_schema_says() -> None:
    for result in (hostile(), changed().result):
        jsonschema.validate(json.loads(FORMATS["json"](result)), SCHEMA)
        for asked in ((), ("/app", "/")):
            explanation = replace(changed(), result=result)
            found = why_json.document(result, minify.why(explanation, *asked), with_user=True)
            jsonschema.validate(json.loads(found), SCHEMA)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (None, "IMAGE"),
        ("docker-daemon:app:slim", "app:slim"),
        ("docker-archive:/x/slim.tar:app:slim", "app:slim"),
        ("docker-archive:slim.tar", "IMAGE"),
        ("docker://host:5000/app:slim", "host:5000/app:slim"),
        ("oci:dir:tag", "IMAGE"),
        ("oci-archive:slim.tar:tag", "IMAGE"),
    ],
)
def test_the_docker_run_line_names_the_image_as_docker_does(
    reference: str | None, name: str
) -> None:
    result = explained([APP, TOOL]).result
    built = result.source if reference else None
    text = FORMATS["summary"](replace(result, reference=reference, built=built))
    (line,) = (line for line in text.splitlines() if line.startswith("    docker run "))
    assert line.split()[-1] == name


@pytest.mark.parametrize(
    ("name", "is_told"),
    [("docker://h/app:1", True), ("docker://h/app@sha256:" + "1" * 64, False), ("oci:d", False)],
)
def test_what_a_tag_of_a_registry_led_to_is_told(name: str, *, is_told: bool) -> None:
    result = changed().result
    digest = Digest.of(b"manifest")
    source = replace(result.source, name=name, manifest_digest=digest)
    lines = FORMATS["summary"](replace(result, source=source)).splitlines()
    assert (f"  digest   {digest}" in lines) == is_told
    index = Digest.of(b"index")
    lines = FORMATS["summary"](
        replace(result, source=replace(source, index_digest=index))
    ).splitlines()
    assert (f"  digest   {index}" in lines) == is_told


def test_a_long_section_is_cut_and_says_so() -> None:
    section = Section("odd", tuple(map(str, range(1200))))
    assert list(section.shown(2)) == [
        "  odd (1,200)",
        "    0",
        "    1",
        "    … and 1,198 more; --json has all",
    ]
    assert len(list(section.shown())) == 1201
    assert list(Section("none", ()).shown()) == []


def test_a_label_that_is_a_document_is_cut() -> None:
    label = "x" * 10_000
    result = explained([APP, TOOL], options=Options(labels=(f"a={label}",))).result
    assert max(map(len, FORMATS["summary"](result).splitlines())) < 400
    assert label in FORMATS["json"](result)


def test_why_it_stays_root_is_said_once() -> None:
    result = explained([TOOL, file("app", "#!/bin/tool\n", mode=0o700)]).result
    said = "/app cannot be executed (0:0 0700)"
    lines = FORMATS["summary"](result).splitlines()
    assert "  user     root: nobody else could run it, as a gap below says" in lines
    (gap,) = (line for line in lines if said in line)
    assert gap.startswith(f"    the user stays root: appuser could not run the program: {said} —")
    assert f"    appuser: {said}" in user_text.text(result).splitlines()
