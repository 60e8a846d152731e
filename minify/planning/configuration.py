"""The configuration of the result, and in what it differs from the source's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from minify.closure.commandline import UserSwitch, without_user_switch
from minify.identity import Accounts, Identity
from minify.image import ImageConfig
from minify.image.edits import Edits, edited
from minify.image.jsontext import Fields, Json

MINIFIED = "minify"
"""The `created_by` of the one history record of a minified image."""

# As a Dockerfile calls what the configuration calls otherwise.
_INSTRUCTIONS = {
    "User": "USER",
    "Env": "ENV",
    "Entrypoint": "ENTRYPOINT",
    "Cmd": "CMD",
    "Labels": "LABEL",
    "WorkingDir": "WORKDIR",
    "ExposedPorts": "EXPOSE",
    "Healthcheck": "HEALTHCHECK",
}
_NAMED = ("ENV ", "LABEL ")


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One value of the configuration that the result has otherwise."""

    name: str
    """The instruction of a Dockerfile that sets it, with the variable's or label's name."""
    old: str | None
    """None where the source does not have it."""
    new: str | None
    """None where the result does not have it."""
    why: str = ""
    """Empty for what the user of minify asked for."""

    @property
    def text(self) -> str:
        """All of it as one line: `USER root → 10001: the default: not root`."""
        joint = "=" if self.name.startswith(_NAMED) else " "
        if self.old is not None and self.new is not None:
            what = f"{self.name} {self.old} → {self.new}"
        elif self.new is not None:
            what = f"{self.name}{joint}{self.new}".rstrip() + " added"
        else:
            what = f"{self.name}{joint}{self.old}".rstrip() + " removed"
        return f"{what}: {self.why}" if self.why else what


def needless_switch(
    config: ImageConfig, identity: Identity, accounts: Accounts
) -> UserSwitch | None:
    """How the command line switches to the user that runs it now, which nobody but root can.

    None where it does not, and where the user is the source's own.
    """
    switch = without_user_switch(config.argv)
    if switch is None or not identity.is_changed or identity.uid == 0:
        return None
    account = accounts.account(switch.account)
    uid = f"{account.uid}" if account is not None else switch.account
    return switch if uid == f"{identity.uid}" else None


def result_config(
    config: ImageConfig, identity: Identity, switch: UserSwitch | None, created: str | None
) -> ImageConfig:
    """`config` with the identity's USER and HOME, without `switch`, with minify's history.

    The layers are not in it yet. `created` is an RFC 3339 time, None to carry over the source's.
    """
    when = created or config.created
    record = {"created": when, "created_by": MINIFIED} if when else {"created_by": MINIFIED}
    top: dict[str, Json] = {"created": when or None, "history": [record], "rootfs": None}
    user = identity.user or None
    changed = config.changed(top, {"User": user if user or config.user else None})
    home = identity.home
    if switch is not None:
        changed = changed.changed(run=_without(switch, config))
        if switch.sets_home and "HOME" in config.env:
            return edited(changed, Edits(env=(("HOME", None),)))
        home = None if switch.sets_home else home
    if home is None or config.env.get("HOME") == home:
        return changed
    return edited(changed, Edits(env=(("HOME", home),)))


def _without(switch: UserSwitch, config: ImageConfig) -> dict[str, Json]:
    """ENTRYPOINT and CMD without the words that switch, each of the others where it was."""
    argv = config.argv
    length = len(argv) - len(switch.argv)
    starts = range(len(switch.argv) + 1)
    start = next(at for at in starts if argv[:at] + argv[at + length :] == switch.argv)
    gone = range(start, start + length)
    split = len(config.entrypoint)
    entrypoint = [word for at, word in enumerate(argv[:split]) if at not in gone]
    cmd = [word for at, word in enumerate(argv[split:], split) if at not in gone]
    return {"Entrypoint": entrypoint or None, "Cmd": cmd or None}


def is_minified(config: ImageConfig) -> bool:
    """Whether the image is what minify wrote, with nothing laid on top."""
    records = config.history
    is_one = len(records) == 1 and len(config.diff_ids) == 1
    return is_one and records[0].text("created_by") == MINIFIED


def config_changes(
    source: ImageConfig, result: ImageConfig, reasons: Mapping[str, str]
) -> tuple[ConfigChange, ...]:
    """In what `result` differs from `source`; `reasons` has a sentence for some names."""
    old, new = _values(source), _values(result)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return tuple(
        ConfigChange(name, old.get(name), new.get(name), reasons.get(name, "")) for name in names
    )


def _values(config: ImageConfig) -> dict[str, str]:
    """Each value of the `config` object by its instruction; members of a list each by itself."""
    members = Fields(config.raw, config.name).mapping("config")
    found = dict(pair for key in members for pair in _members(key, members[key], config))
    return {"USER": "root", **found}


def _members(key: str, value: Json, config: ImageConfig) -> Iterator[tuple[str, str]]:
    name = _INSTRUCTIONS.get(key, key)
    if value is None or value == "":
        return
    if key == "Env":
        yield from ((f"{name} {variable}", text) for variable, text in config.env.items())
    elif key == "Labels":
        yield from ((f"{name} {label}", text) for label, text in config.labels.items())
    elif key == "ExposedPorts":
        yield from ((f"{name} {port}", "") for port in config.exposed_ports)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
