"""An image's configuration: raw JSON with a typed view, so that unknown keys survive.

https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md, and docker's own additions
(Healthcheck, Shell, OnBuild):
https://github.com/moby/docker-image-spec/blob/main/spec.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minify.errors import ImageError
from minify.image import jsontext
from minify.image.digest import Digest
from minify.image.jsontext import Fields, Json
from minify.image.platform import Platform

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What docker and podman set PATH to when the image does not."""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The config document of one image. `data` is the document, byte for byte."""

    data: bytes
    raw: Mapping[str, Json]
    name: str

    @classmethod
    def parse(cls, data: bytes, name: str) -> ImageConfig:
        """The config in `data`; ImageError, beginning with `name`, if it is not one."""
        config = cls(data, jsontext.read_object(data, name), name)
        # Wrong types are found here and not when the first user of a key comes along.
        for check in (cls.env, cls.entrypoint, cls.cmd, cls.user, cls.workdir, cls.volumes):
            check.__get__(config)
        _ = config.healthcheck, config.shell, config.diff_ids, config.created, config.platform
        _ = config.labels, config.exposed_ports, config.history
        return config

    @classmethod
    def new(cls, raw: Mapping[str, Json], name: str) -> ImageConfig:
        """A config of `raw`, written as minify writes documents."""
        return cls.parse(jsontext.write(raw), name)

    def changed(
        self, top: Mapping[str, Json] | None = None, run: Mapping[str, Json] | None = None
    ) -> ImageConfig:
        """This config with other values at top level and in its `config` object.

        A value of None removes the key; all other keys are carried over untouched.
        """
        inner = _merged(self._top.mapping("config"), run or {})
        raw = _merged(self.raw, {**(top or {}), "config": inner})
        return ImageConfig.new(raw, self.name)

    @property
    def argv(self) -> tuple[str, ...]:
        """ENTRYPOINT and CMD in one: the command line of a container."""
        return (*self.entrypoint, *self.cmd)

    @property
    def digest(self) -> Digest:
        """The image id."""
        return Digest.of(self.data)

    @property
    def _top(self) -> Fields:
        return Fields(self.raw, self.name)

    @property
    def _run(self) -> Fields:
        return self._top.child("config")

    @property
    def platform(self) -> Platform:
        return Platform.of(self.raw)

    @property
    def created(self) -> str:
        """RFC 3339; empty if the config does not say."""
        return self._top.text("created")

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The digests of the plain layers, oldest first."""
        try:
            return tuple(map(Digest.parse, self._top.child("rootfs").texts("diff_ids")))
        except ValueError as error:
            raise ImageError(f"{self.name}: rootfs.diff_ids: {error}") from error

    @property
    def history(self) -> tuple[Fields, ...]:
        """One record a build step, oldest first; `empty_layer` ones among them."""
        return self._top.objects("history")

    @property
    def env(self) -> Mapping[str, str]:
        """The environment; of a name that is set twice, the last value, as in execve's users."""
        pairs = (item.partition("=") for item in self._run.texts("Env"))
        return {name: value for name, _, value in pairs}

    @property
    def search_path(self) -> tuple[str, ...]:
        """The directories of PATH; an empty one means the working directory."""
        return tuple(self.env.get("PATH", DEFAULT_PATH).split(":"))

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """ENTRYPOINT as the runtime runs it; a shell form is `/bin/sh -c …`."""
        return self._run.texts("Entrypoint")

    @property
    def cmd(self) -> tuple[str, ...]:
        """CMD: the arguments of ENTRYPOINT, or the command where there is none."""
        return self._run.texts("Cmd")

    @property
    def user(self) -> str:
        """USER as written: `name`, `uid`, either with `:group`; empty means root."""
        return self._run.text("User")

    @property
    def workdir(self) -> str:
        """WORKDIR; `/` if there is none."""
        return self._run.text("WorkingDir") or "/"

    @property
    def volumes(self) -> tuple[str, ...]:
        """The paths of VOLUME."""
        return tuple(self._run.mapping("Volumes"))

    @property
    def exposed_ports(self) -> tuple[str, ...]:
        """EXPOSE, as `8080/tcp`."""
        return tuple(self._run.mapping("ExposedPorts"))

    @property
    def labels(self) -> Mapping[str, str]:
        return self._run.text_mapping("Labels")

    @property
    def shell(self) -> tuple[str, ...]:
        """SHELL, which runs shell-form commands; docker's default if there is none."""
        return self._run.texts("Shell") or ("/bin/sh", "-c")

    @property
    def healthcheck(self) -> tuple[str, ...]:
        """HEALTHCHECK's Test: `CMD` or `CMD-SHELL` and its arguments; empty if there is none."""
        test = self._run.child("Healthcheck").texts("Test")
        return () if test[:1] == ("NONE",) else test


def _merged(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """`old` with the values of `new`; keys keep their place, None removes one."""
    merged = {**old, **new}
    return {key: value for key, value in merged.items() if key not in new or value is not None}
