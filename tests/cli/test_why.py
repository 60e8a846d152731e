"""`minify why` as a process."""

from __future__ import annotations

from pathlib import Path

import pytest
from filetree.kit import file

from cli.kit import EVIL, Made, document, run


def test_paths_are_explained_and_nothing_is_written(made: Made, tmp_path: Path) -> None:
    code, out, err = run("why", made("opt/x"), "tool", "/opt/x")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "/bin/tool is kept: the program surely uses it",
        "  asked    tool",
        "  what     file, 1 byte, mode 0755, owner 0:0, layer 1 of 1",
        "  because",
        "    the image's configuration",
        "    └ /app (config.cmd: CMD /app)",
        "      └ /bin/tool (script.interpreter: #!/bin/tool)",
        "",
        "/opt/x is dropped: nothing that is kept needs it",
        "  what     file, 0 bytes, mode 0644, owner 0:0, layer 1 of 1",
        "  to keep  --keep /opt/x",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_the_flag_that_is_advised_keeps_the_file(made: Made) -> None:
    source = made(EVIL)
    _, out, _ = run("why", source, f"/{EVIL}")
    assert out.endswith("  to keep  --keep '/etc/e?[[]31m??'\n")
    code, out, _ = run("why", source, f"/{EVIL}", "--keep", "/etc/e?[[]31m??")
    assert code == 0
    assert "(user.keep: --keep /etc/e?[[]31m??)" in out


def test_what_is_not_there_ends_with_2_and_what_is_close(made: Made) -> None:
    code, out, err = run("why", made(), "/bin/tol", "nope")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "minify: /bin/tol: the image has no such path; close to it: /bin/tool",
        "nope: the image has no such path",
    ]


def test_what_has_an_answer_is_answered_and_the_exit_code_tells_of_the_rest(made: Made) -> None:
    source = made("opt/tool", "srv/x", "opt/x", EVIL)
    code, out, err = run("why", source, "x", "/app", "/etc/*", "z*")
    assert code == 2
    assert [line.split(" is ")[0] for line in out.splitlines() if " is " in line] == [
        "/app",
        r"/etc/e\x1b[31m\x0a\xff",
    ]
    assert err.splitlines() == [
        "minify: x: the image has 2 of that name; say which with its whole path:",
        "  /opt/x (dropped)",
        "  /srv/x (dropped)",
        "z*: nothing in the image matches",
    ]
    code, out, err = run("why", source, "x", "/app", "--json")
    found = document(out)
    assert (code, [answer["path"] for answer in found["paths"]]) == (2, ["/app"])
    assert found["unanswered"] == [
        {
            "asked": "x",
            "problem": "the image has 2 of that name; say which with its whole path",
            "candidates": [
                {"path": "/opt/x", "fate": "dropped"},
                {"path": "/srv/x", "fate": "dropped"},
            ],
        }
    ]


def test_a_question_is_needed(made: Made) -> None:
    code, out, err = run("why", made())
    assert (code, out) == (2, "")
    assert "`minify why IMAGE PATH...` or `minify why IMAGE --user`" in err


def test_the_user_is_a_question_and_as_user_a_request(made: Made) -> None:
    source = made()
    code, out, _ = run("why", source, "--user")
    assert code == 0
    assert out.splitlines()[:3] == [
        "user 10001 (appuser): the default: not root",
        "  source   root",
        "  ids      uid 10001, gid 10001",
    ]
    code, out, _ = run("why", source, "--user", "--as-user", "4711")
    assert code == 0
    assert out.startswith("user 4711")
    for wrong in (["--user=4711"], ["--user", "4711"]):
        code, out, err = run("why", source, *wrong)
        assert (code, out) == (2, "")
        assert "to ask about a run with --user 4711, write --as-user 4711" in err


def test_answers_are_a_document_too(made: Made) -> None:
    source = made(EVIL)
    code, out, err = run("why", source, "/bin/tool", f"/{EVIL}", "/bin", "--user", "--json")
    assert (code, err) == (0, "")
    found = document(out)
    assert [(answer["path"], answer["fate"]) for answer in found["paths"]] == [
        ("/bin/tool", "kept"),
        ("/etc/e\\x1b[31m\\x0a\\xff", "dropped"),
        ("/bin", "kept"),
    ]
    assert found["identity"]["user"]["uid"] == 10001
    assert found["paths"][0]["chain"] == [
        {
            "path": "/app",
            "reason": {
                "rule": "config.cmd",
                "by": "the image's configuration",
                "detail": "CMD /app",
            },
        },
        {
            "path": "/bin/tool",
            "reason": {"rule": "script.interpreter", "by": "/app", "detail": "#!/bin/tool"},
        },
    ]
    assert found["paths"][2]["below"] == {
        "kept": {"bytes": 1, "files": 1},
        "source": {"bytes": 1, "files": 1},
    }
    code, out, _ = run("why", source, "/bin/tool", "--json")
    assert document(out)["identity"] is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["why", "docker-archive:/nope.tar", "/a"], 4),
        (["why", "IMAGE", "/nope", "--json"], 2),
        (["why", "IMAGE", "--json"], 2),
        (["why", "IMAGE", "/app", "--entrypoint", "/nope", "--json"], 3),
        (["why", "IMAGE", "/app", "--env", "A", "--json"], 2),
    ],
)
def test_failures_have_their_codes_and_documents(
    made: Made, arguments: list[str], code: int
) -> None:
    source = made()
    found, out, err = run(*(source if word == "IMAGE" else word for word in arguments))
    assert found == code
    assert err
    if "--json" in arguments:
        assert document(out)["error"]["exit_code"] == code
    else:
        assert out == ""


def test_the_questions_follow_what_shapes_the_decision(made: Made) -> None:
    source = made(file("other", "\x7f", mode=0o755), "etc/secret")
    code, out, _ = run("why", source, "/other", "/app", "--entrypoint", "/other")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("/")] == [
        "/other is kept: the program surely uses it",
        "/app is dropped: nothing that is kept needs it",
    ]


def test_help_says_both_commands_and_how_to_name_an_image_like_one() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert "minify why IMAGE PATH... | --user [OPTIONS]" in out
    assert "docker-daemon:why" in out
    code, out, err = run("why", "--help")
    assert (code, err) == (0, "")
    assert "--as-user" in out
    assert "--output" not in out
