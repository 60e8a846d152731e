"""Workloads of programs for people at a terminal; no rule was made for them.

Each was written before anybody looked at what minify keeps of its program: docs/recall.md.
"""

# ruff: noqa: S108  # these are names in trees that nobody else has

from __future__ import annotations

from collections.abc import Callable

from recall.programs import SITE
from recall.room import Room


def gpg(room: Room) -> None:
    loopback = "gpg --batch --pinentry-mode loopback"
    batch = f"{loopback} --passphrase ''"

    def shell(text: str) -> str:
        # The agent that gpg starts would stay, and a command under strace with it.
        return room.shell(f"{text}; gpgconf --kill all")

    def works(name: str, command: str) -> None:
        room.check(name, "^ok$", shell(f"{command} && echo ok"))

    works("key", f"{batch} --quick-gen-key 'Alice <alice@example.test>' default default never")
    works("sign", f"echo hello > /tmp/a && {batch} --clearsign /tmp/a && gpg --verify /tmp/a.asc")
    sealed = f"{batch} --trust-model always -r alice@example.test -e /tmp/a"
    room.check("encrypt", "^hello", shell(f"{sealed} && {batch} -d /tmp/a.gpg"))
    known = f"{loopback} --passphrase x"
    symmetric = f"{known} -c -o /tmp/s.gpg /tmp/a && {known} -d /tmp/s.gpg"
    room.check("symmetric", "^hello", shell(symmetric))
    old = f"{known} --cipher-algo CAST5 --compress-algo bzip2 -c < /tmp/a | {known} -d"
    room.check("old", "^hello", shell(old))
    print_ = "gpg --list-keys --with-colons | awk -F: '/^fpr/{print $10; exit}'"
    added = f"{batch} --quick-add-key $({print_}) ed25519 auth never"
    exported = shell(f"{added} && gpg --export-ssh-key alice@example.test")
    room.check("ssh", "^ssh-", exported)
    room.check("list", "alice@example", shell("gpg -K"))
    room.check("german", "uid", shell("LANG=de_DE.UTF-8 LANGUAGE=de gpg -k"))
    room.check("card", "OpenPGP card not available", shell("gpg --batch --card-status"))
    asked = "gpg --batch --keyserver hkp://localhost:1 --recv-keys 0123456789ABCDEF"
    room.check("dirmngr", "(?i)refused|no data|dirmngr", shell(asked))
    works("gpgsm", "gpgsm --list-keys")
    room.check("components", "gpg-agent", shell("gpgconf"))
    room.check("check", "dirmngr:.*:1:1:", shell("gpgconf --check-programs"))


def nmap(room: Room) -> None:
    def scanned(*words: str) -> str:
        return room.run("/usr/bin/nmap", *words, "localhost")

    port = str(SITE)
    is_open = rf"^{port}/tcp +open"
    room.check("connect", is_open, scanned("-sT", "-Pn", "-p", port))
    room.check("syn", is_open, scanned("-sS", "-p", port))
    room.check("udp", "53/udp", scanned("-sU", "-p", "53"))
    room.check("version", "ssl/http", scanned("-sV", "-p", port))
    scripts = "ssl-cert,http-title,http-headers,http-enum"
    room.check("scripts", r"minify\.test", scanned("-p", port, "--script", scripts, "-sV"))
    room.check("default", "ssl-date|ssl-cert", scanned("-sC", "-sV", "-p", port))
    room.check("fast", "Nmap done", scanned("-F"))
    room.check("xml", "nmaprun", scanned("-oX", "-", "-p", port))
    room.check("system", "OS detection performed", scanned("-O", "-p", f"{port},1"))
    room.check("help", "(?i)categories", room.run("/usr/bin/nmap", "--script-help", "ssh-hostkey"))
    room.check("protocols", "tcp|icmp", scanned("-sO", "-p", "1,6,17"))
    room.check("names", "Nmap done", scanned("-sL"))


def vim(room: Room) -> None:
    def ex(*commands: str, shows: str = "") -> str:
        """What vim shows of an expression after commands."""
        every = [*commands, "redir! > /tmp/out", f"silent echo {shows}", "redir END", "qa!"]
        words = [word for command in every for word in ("-c", command)]
        room.write("/tmp/out", "")
        shown = room.terminal("/usr/bin/vim", *words, seconds=6)
        return room.read("/tmp/out") or shown

    room.check("runtime", "/usr/share/vim", ex(shows="$VIMRUNTIME"))
    room.write("/tmp/a.py", "import os\nprint('x')\n")
    name = "synIDattr(synID(1,1,1),'name')"
    room.check("syntax", "pythonInclude", ex("syntax on", "e /tmp/a.py", shows=name))
    typed = ex("filetype plugin indent on", "e /tmp/a.py", shows="&filetype . &indentexpr")
    room.check("filetype", "python.*Indent", typed)
    room.check("help", r"usr_01\.txt", ex("help usr_01", shows="expand('%:t')"))
    room.check("nohelp", "E149", ex("silent! help nothing-at-all", shows="v:errmsg"))
    spelt = ex("set spell spelllang=en", shows="spellbadword('a helo')")
    room.check("spell", r"\['helo', 'bad'\]", spelt)
    room.check("colours", "desert", ex("colorscheme desert", shows="g:colors_name"))
    room.check("plugin", "2", ex(shows="exists(':NoMatchParen')"))
    room.check("shell", "there", ex(shows="system('echo there')"))
    room.write("/tmp/b", "a\n")
    converted = ("e /tmp/b", "set fileencoding=latin1", "call setline(1,'ä')", "w! /tmp/c")
    room.check("latin1", "^2$", ex(*converted, shows="getfsize('/tmp/c')"))
    room.check("netrw", "os-release", ex("Explore /etc", shows="getline(1,'$')"))
    room.check("packages", "1", ex("packadd matchit", shows="exists('g:loaded_matchit')"))


FUNCTIONS: tuple[Callable[[Room], None], ...] = (gpg, nmap, vim)
