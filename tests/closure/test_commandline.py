"""Command lines that switch the user, and what is left of them without that."""

from __future__ import annotations

import pytest

from minify.closure.commandline import UserSwitch, user_switch, without_user_switch


@pytest.mark.parametrize(
    ("line", "account", "rest", "sets_home"),
    [
        ("gosu app server -x", "app", "server -x", True),
        ("/usr/sbin/gosu 1000:1000 server", "1000", "server", True),
        ("tini -- su-exec app server", "app", "tini -- server", True),
        ("dumb-init env A=1 gosu app server", "app", "dumb-init env A=1 server", True),
        ("s6-setuidgid app server", "app", "server", False),
        ("setuidgid app server", "app", "server", False),
        ("chpst -u app server", "app", "server", False),
        ("runuser -u app -- server -x", "app", "server -x", False),
        ("setpriv --reuid=app --regid=app --init-groups server", "app", "server", False),
        ("setpriv --reuid 5 --regid 5 --clear-groups -- server", "5", "server", False),
        ("gosu app tini -- gosu b server", "app", "tini -- gosu b server", True),
    ],
)  # fmt: skip
def test_a_switch_that_can_go(line: str, account: str, rest: str, *, sets_home: bool) -> None:
    expected = UserSwitch(account, tuple(rest.split()), sets_home)
    assert without_user_switch(line.split()) == expected


@pytest.mark.parametrize(
    "line",
    [
        "server",
        "server gosu app",
        "gosu app",
        "gosu",
        "gosu app:other server",
        "chpst -u app -e /env server",
        "chpst -u app:x server",
        "setpriv --reuid=app server",
        "setpriv --reuid=app --regid=other server",
        "setpriv --reuid=app --regid=app --no-new-privs server",
        "runuser -u app -g other -- server",
        "runuser -l app -c server",
        "su app -c server",
        "sudo -u app server",
        "chroot --userspec=app / server",
        "env -S gosu\\ app\\ server",
    ],
)
def test_a_switch_that_does_more_stays(line: str) -> None:
    assert without_user_switch(line.split(" ")) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gosu app:x server", ("gosu", "app")),
        ("tini -- nice -n 5 su-exec app server", ("su-exec", "app")),
        ("gosu ? server", ("gosu", "")),
        ("su app -c x", ("su", "app")),
        ("su - app -c x", ("su", "app")),
        ("su -s /bin/sh -c x app", ("su", "app")),
        ("su -p -s /bin/sh app -c x", ("su", "app")),
        ("su -c x", ("su", "root")),
        ("runuser -u app -- x", ("runuser", "app")),
        ("runuser -l app -c x", ("runuser", "app")),
        ("sudo -E -u app x", ("sudo", "app")),
        ("sudo x", ("sudo", "root")),
        ("chpst -u :1:2 x", ("chpst", "1")),
        ("setpriv --inh-caps=-all --reuid app x", ("setpriv", "app")),
        ("setpriv --no-new-privs x", None),
        ("start-stop-daemon --start --chuid app:app --exec /x", ("start-stop-daemon", "app")),
        ("chroot --userspec=1000:0 / x", ("chroot", "1000")),
        ("chroot / x", None),
        ("server -u app", None),
        ("", None),
    ],
)
def test_whom_a_command_line_becomes(line: str, expected: tuple[str, str] | None) -> None:
    words = [None if word == "?" else word for word in line.split()]
    assert user_switch(words) == expected
