"""How a process of minify ends when somebody else ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
from subprocess import PIPE

import pytest

from cli.kit import Made

LONG = [f"etc/{number:0100}" for number in range(2000)]
"""Names that make a report longer than what a pipe holds, so that its writer waits."""


@pytest.mark.parametrize("command", [["--dry-run", "--keep", "/etc"], ["why"]], ids=["run", "why"])
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "minify: interrupted\n"), (signal.SIGTERM, 143, "")],
)
def test_a_signal_ends_it_with_its_code_and_no_traceback(
    made: Made, command: list[str], number: int, code: int, said: str
) -> None:
    source = made(*LONG)
    paths = [f"/{name}" for name in LONG] if command == ["why"] else []
    argv = [sys.executable, "-m", "minify", *command, source, *paths]
    # What a shell starts in the background ignores SIGINT, and so would all that this starts.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with subprocess.Popen(argv, stdout=PIPE, stderr=PIPE, encoding="utf-8") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(1)
            process.send_signal(number)
            assert process.wait(60) == code
            assert process.stderr.read() == said
    finally:
        signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_leaves_is_told_by_the_code(
    made: Made, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    source = made(*LONG)
    argv = [sys.executable, "-m", "minify", source, "--dry-run", "--keep", "/etc"]
    with subprocess.Popen(argv, stdout=PIPE, stderr=PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == ""
