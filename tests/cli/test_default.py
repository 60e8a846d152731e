"""The command without a name: words in, exit codes and text out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from filetree.kit import directory, file

from cli.kit import EVIL, Made, document, run


def test_the_summary_says_what_came_of_it(made: Made, tmp_path: Path) -> None:
    source = made("usr/share/doc/x: y")
    code, out, err = run(source, "-o", f"oci:{tmp_path / 'out'}:slim")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == source
    assert [line.split()[0] for line in lines[1:6]] == [
        "size",
        "files",
        "layers",
        "user",
        "command",
    ]
    assert "  user     10001 (appuser): the default: not root" in lines
    assert lines[-1].startswith(f"wrote oci:{tmp_path / 'out'}:slim (image id sha256:")


def test_the_report_is_what_its_schema_says(made: Made, tmp_path: Path) -> None:
    source = made(EVIL)
    report = tmp_path / "report.json"
    target = f"oci:{tmp_path / 'out'}"
    code, out, err = run(source, "-o", target, "--json", "--report", report, "--keep", "/etc")
    assert (code, err) == (0, "")
    found = document(out)
    assert json.loads(report.read_text()) == found
    assert found["output"]["reference"] == target
    assert "/etc/e\\x1b[31m\\x0a\\xff" in [entry["path"] for entry in found["entries"]]


def test_a_refusal_is_a_report_too(made: Made, tmp_path: Path) -> None:
    source = made(run={"Cmd": ["/nope"]})
    code, out, err = run(source, "-o", f"oci:{tmp_path / 'out'}", "--json")
    assert code == 3
    assert err.startswith("minify: ")
    assert document(out)["error"]["exit_code"] == 3
    assert not (tmp_path / "out").exists()


def test_a_dry_run_prints_every_entry_with_its_reason_and_writes_nothing(
    made: Made, tmp_path: Path
) -> None:
    source = made(EVIL)
    code, out, _ = run(source, "--dry-run", "--keep", "/etc")
    assert code == 0
    assert "/bin/tool  # script.interpreter: #!/bin/tool, by /app" in out
    assert "/etc/e\\x1b[31m\\x0a\\xff  # user.keep" in out
    assert out.endswith("nothing was written\n")
    assert "\x1b" not in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_the_image_id_is_written_to_a_file(made: Made, tmp_path: Path) -> None:
    iidfile = tmp_path / "iid"
    code, out, _ = run(made(), "-o", f"oci:{tmp_path / 'out'}", "--iidfile", iidfile, "--json")
    assert code == 0
    assert iidfile.read_text() == json.loads(out)["output"]["image_id"]


def test_quiet_says_nothing(made: Made, tmp_path: Path) -> None:
    assert run(made(), "-o", f"oci:{tmp_path / 'out'}", "-q") == (0, "", "")


def test_a_terminal_without_unicode_gets_escapes(made: Made, tmp_path: Path) -> None:
    target = f"oci:{tmp_path / 'out'}"
    code, out, err = run(made("etc/ü"), "-o", target, "--keep", "/etc", PYTHONIOENCODING="latin-1")
    assert (code, err) == (0, "")
    assert "\\u2192" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["IMAGE"], "-o OUTPUT"),
        ([], "Missing argument"),
        (["IMAGE", "-o", "rootfs:/x"], "rootfs"),
        (["IMAGE", "-o", "dir:/x"], "no transport 'dir'"),
        (["UPPER", "-o", "oci:out"], "lower case"),
        (["IMAGE", "--dry-run", "--keep", "/nope*"], "--keep '/nope*': nothing"),
        (["IMAGE", "--dry-run", "--drop", "x"], "--drop x: a pattern is an absolute path"),
        (["IMAGE", "--dry-run", "--platform", "x"], "'x' is no platform"),
        (["IMAGE", "--dry-run", "--user", ":1"], "--user :1: expected NAME, UID"),
        (["IMAGE", "--dry-run", "--user", "99999999999"], "a number below 2147483648 always"),
        (["IMAGE", "--dry-run", "--keep", ""], "--keep '': a pattern is an absolute path"),
        (["IMAGE", "--dry-run", "--writable", ""], "--writable '': expected an absolute path"),
        (["IMAGE", "--dry-run", "--entrypoint", "[1]"], "JSON array of strings"),
        (["IMAGE", "--dry-run", "--cmd", "'x"], "No closing quotation"),
        (["IMAGE", "--dry-run", "--pull", "x"], "--pull"),
        (["IMAGE", "--nope"], "--nope"),
        (["wy", "IMAGE", "/app"], "did you mean `minify why IMAGE PATH... | --user [OPTIONS]`?"),
        (["wyh", "IMAGE", "--user"], "did you mean `minify why IMAGE"),
        (["IMAGE", "oci:out"], "expected one IMAGE, and the output behind -o"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(
    made: Made, arguments: list[str], said: str, tmp_path: Path
) -> None:
    source = made()
    code, out, err = run(*(source if word == "IMAGE" else word for word in arguments))
    assert (code, out) == (2, "")
    assert said in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_wrong_source_date_epoch_is_wrong_usage(made: Made) -> None:
    code, _, err = run(made(), "--dry-run", SOURCE_DATE_EPOCH="soon")
    assert (code, err) == (2, "minify: SOURCE_DATE_EPOCH is 'soon'; expected seconds since 1970\n")


def test_source_date_epoch_is_the_time_of_creation(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, _, _ = run(made(), "-o", f"oci:{out}", SOURCE_DATE_EPOCH="86400")
    assert code == 0
    blobs = [path.read_bytes() for path in (out / "blobs" / "sha256").iterdir()]
    assert any(b'"created":"1970-01-02T00:00:00Z"' in blob for blob in blobs)


def test_strict_refuses_gaps_with_6(made: Made, tmp_path: Path) -> None:
    script = file("run", "#!/bin/sh\n$X\n", mode=0o755)
    source = made(script, file("bin/sh", "\x7f", mode=0o755), run={"Cmd": ["/run"]})
    target = f"oci:{tmp_path / 'out'}"
    code, _, err = run(source, "-o", target, "--strict")
    assert code == 6
    assert "/run:2 runs '$X'" in err
    assert not (tmp_path / "out").exists()
    assert run(source, "-o", target)[0] == 0


def test_missing_image_ends_with_4_and_unwritable_output_with_5(made: Made, tmp_path: Path) -> None:
    code, _, err = run("docker-archive:/nope.tar", "--dry-run")
    assert (code, err.count("\n")) == (4, 1)
    code, _, err = run(made(), "-o", f"docker-archive:{tmp_path / 'no' / 'x.tar'}")
    assert (code, err.count("\n")) == (5, 1)


def test_kept_and_dropped_globs_decide(made: Made, tmp_path: Path) -> None:
    source = made(directory("opt/x"), "opt/x/a", "opt/x/b", "opt/y")
    code, out, _ = run(
        *(source, "-o", f"oci:{tmp_path / 'out'}", "--json"),
        *("--keep", "/opt", "--drop", "/opt/x/b", "--drop", "/bin/tool"),
    )
    assert code == 0
    found = document(out)
    paths = [entry["path"] for entry in found["entries"]]
    assert [path for path in paths if path.startswith(("/opt", "/bin"))] == [
        *("/opt", "/opt/x", "/opt/x/a", "/opt/y"),
    ]
    assert [item["path"] for item in found["overruled"]] == ["/bin/tool"]


def test_the_command_can_be_replaced(made: Made, tmp_path: Path) -> None:
    source = made("b/c", run={"Entrypoint": ["/nope"], "Cmd": ["x"]})
    for flags, expected in (
        (["--entrypoint", "/app 'a b'"], {"entrypoint": ["/app", "a b"], "cmd": []}),
        (["--entrypoint", '["/app"]', "--cmd", "c"], {"entrypoint": ["/app"], "cmd": ["c"]}),
    ):
        code, out, _ = run(source, "-o", f"oci:{tmp_path / 'out'}", "--json", *flags)
        assert code == 0
        assert json.loads(out)["command"] == expected


def test_names_of_an_image_start_no_line_of_an_error(made: Made) -> None:
    evil = "/nope\n::error::pwned"
    code, _, err = run(made(run={"Cmd": [evil]}), "--dry-run")
    assert code == 3
    assert "::error::" in err
    assert not any(line.startswith("::error::") for line in err.splitlines())


def test_a_full_standard_output_is_an_error_of_the_output(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "minify", made(), "-o", f"oci:{out}"],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 5
    assert done.stderr == (
        "minify: standard output cannot be written: No space left on device;"
        f" the image itself was written: oci:{out}\n"
    )


def test_a_dry_run_has_no_image_id(made: Made, tmp_path: Path) -> None:
    code, _, err = run(made(), "--dry-run", "--iidfile", tmp_path / "iid")
    assert code == 2
    assert "--iidfile" in err
