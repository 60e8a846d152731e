from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from minify.errors import ImageError
from minify.image import ImageConfig
from minify.image.image import check_layer_count
from minify.image.jsontext import Json

DIFF_ID = "sha256:" + "ab" * 32


def config_of(run: Mapping[str, Json], **top: Json) -> ImageConfig:
    data = json.dumps({"os": "linux", "architecture": "arm64", "config": run, **top}).encode()
    return ImageConfig.parse(data, "app: the config")


def shown(config: ImageConfig) -> dict[str, object]:
    """The typed view, without what is empty or the default."""
    whole: dict[str, object] = {
        "platform": str(config.platform),
        "created": config.created,
        "diff_ids": tuple(map(str, config.diff_ids)),
        "env": dict(config.env),
        "entrypoint": config.entrypoint,
        "cmd": config.cmd,
        "user": config.user,
        "workdir": config.workdir,
        "volumes": config.volumes,
        "ports": config.exposed_ports,
        "labels": dict(config.labels),
        "shell": config.shell,
        "healthcheck": config.healthcheck,
        "history": len(config.history),
    }
    usual = {"workdir": "/", "shell": ("/bin/sh", "-c"), "platform": "linux/arm64"}
    return {key: value for key, value in whole.items() if value and value != usual.get(key)}


def test_every_key_has_its_view() -> None:
    run: dict[str, Json] = {
        "Env": ["PATH=/a:/b", "EMPTY=", "EQUALS=a=b", "PATH=/c:", "BARE"],
        "Entrypoint": ["/app", "-x"],
        "Cmd": ["y"],
        "User": "app:0",
        "WorkingDir": "/srv",
        "Volumes": {"/data": {}, "/cache": {}},
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"a": "b"},
        "Shell": ["/bin/bash", "-c"],
        "Healthcheck": {"Test": ["CMD", "/check"], "Interval": 3},
    }
    config = config_of(
        run,
        created="2024-01-01T00:00:00Z",
        rootfs={"type": "layers", "diff_ids": [DIFF_ID]},
        history=[{"created_by": "x"}, {"empty_layer": True}],
        variant="v8",
    )
    assert shown(config) == {
        "platform": "linux/arm64/v8",
        "created": "2024-01-01T00:00:00Z",
        "diff_ids": (DIFF_ID,),
        "env": {"PATH": "/c:", "EMPTY": "", "EQUALS": "a=b", "BARE": ""},
        "entrypoint": ("/app", "-x"),
        "cmd": ("y",),
        "user": "app:0",
        "workdir": "/srv",
        "volumes": ("/data", "/cache"),
        "ports": ("80/tcp",),
        "labels": {"a": "b"},
        "shell": ("/bin/bash", "-c"),
        "healthcheck": ("CMD", "/check"),
        "history": 2,
    }
    assert config.search_path == ("/c", "")


@pytest.mark.parametrize("run", [{}, None])
def test_an_empty_config_has_defaults(run: None) -> None:
    config = config_of(run)  # type: ignore[arg-type]
    assert shown(config) == {}
    assert config.search_path[:2] == ("/usr/local/sbin", "/usr/local/bin")


def test_null_is_the_same_as_nothing() -> None:
    keys = ("Env", "Entrypoint", "Cmd", "User", "Volumes", "Labels", "Healthcheck", "Shell")
    config = config_of(dict.fromkeys(keys), rootfs=None, history=None, created=None)
    assert shown(config) == {}
    assert shown(config_of({"Labels": {"a": None}, "Cmd": [None]})) == {
        "labels": {"a": ""},
        "cmd": ("",),
    }


def test_healthcheck_none_is_none() -> None:
    assert config_of({"Healthcheck": {"Test": ["NONE"]}}).healthcheck == ()


@pytest.mark.parametrize(
    ("run", "top", "message"),
    [
        ({"Cmd": "/bin/sh"}, {}, "app: the config: config: 'Cmd' is a string; expected an array"),
        ({"Cmd": [1]}, {}, "config: 'Cmd' is a number; expected only strings"),
        ({"Entrypoint": {}}, {}, "config: 'Entrypoint' is an object; expected an array"),
        ({"Env": [["a"]]}, {}, "config: 'Env' is an array; expected only strings"),
        ({"User": 0}, {}, "config: 'User' is a number; expected a string"),
        ({"WorkingDir": True}, {}, "config: 'WorkingDir' is a boolean; expected a string"),
        ({"Volumes": ["/a"]}, {}, "config: 'Volumes' is an array; expected an object"),
        ({"ExposedPorts": "80"}, {}, "config: 'ExposedPorts' is a string; expected an object"),
        ({"Labels": {"a": 1}}, {}, "config: 'Labels' is a number; expected only strings"),
        ({"Shell": "sh"}, {}, "config: 'Shell' is a string; expected an array"),
        ({"Healthcheck": []}, {}, "config: 'Healthcheck' is an array; expected an object"),
        ({"Healthcheck": {"Test": "x"}}, {}, "Healthcheck: 'Test' is a string; expected an array"),
        ([], {}, "app: the config: 'config' is an array; expected an object"),
        ({}, {"rootfs": []}, "app: the config: 'rootfs' is an array; expected an object"),
        ({}, {"rootfs": {"diff_ids": ["x"]}}, "rootfs.diff_ids: 'x' is no digest"),
        ({}, {"created": 1}, "app: the config: 'created' is a number; expected a string"),
        ({}, {"history": {}}, "app: the config: 'history' is an object; expected an array"),
        ({}, {"history": [1]}, "app: the config: 'history[0]' is a number; expected an object"),
    ],
)
def test_wrong_types_are_found_at_once(
    run: Mapping[str, Json], top: dict[str, Json], message: str
) -> None:
    with pytest.raises(ImageError) as caught:
        config_of(run, **top)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "app is no JSON document: Expecting value"),
        (b"[]", "app is no JSON object but an array"),
        (b"null", "app is no JSON object but null"),
        (b'{"a": NaN}', "app is no JSON document: NaN is no number"),
        (b'{"a": [-Infinity]}', "app is no JSON document: -Infinity is no number"),
        (b'{"a": 1e999}', "app is no JSON document: 1e999 is no number"),
        (b'{"a": ' + b"1" * 5000 + b"}", "app is no JSON document: Exceeds the limit"),
        (b'{"a": "\xff"}', "app is no JSON document: 'utf-8' codec"),
        (b'{"a": 1} x', "app is no JSON document: Extra data"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "app is nested more than 100 deep"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "app is nested more than 100 deep"),
        (b'{"a":' + b"[" * 1_000_000, "app is no JSON document: "),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ImageError) as caught:
        ImageConfig.parse(data, "app")
    assert message in str(caught.value)


def test_nesting_within_the_bound_can_be_written_again() -> None:
    data = b'{"a":' * 99 + b"{}" + b"}" * 99
    assert ImageConfig.parse(data, "app").changed({"os": "linux"}).data.startswith(data[:-1])


# Changes.


def test_unknown_keys_are_carried_over_in_their_order() -> None:
    source = (
        b'{"z":1.5,"config":{"X":[null,true,{"y":1e2}],"Cmd":["a"],"StopSignal":"SIGINT",'
        b'"User":"u"},"os":"linux","os.features":["\xc3\xa4"],"big":123456789012345678901}'
    )
    config = ImageConfig.parse(source, "app")
    changed = config.changed({"os": None, "new": [1]}, {"Cmd": ["b"], "User": None, "Last": "x"})
    assert changed.data == (
        b'{"z":1.5,"config":{"X":[null,true,{"y":100.0}],"Cmd":["b"],"StopSignal":"SIGINT",'
        b'"Last":"x"},"os.features":["\xc3\xa4"],"big":123456789012345678901,"new":[1]}'
    )
    assert changed.cmd == ("b",)
    assert config.data == source


def test_a_key_that_the_source_has_as_null_stays() -> None:
    config = ImageConfig.parse(b'{"a":null,"config":{"Cmd":null}}', "app")
    assert config.changed({"b": 1}).data == b'{"a":null,"config":{"Cmd":null},"b":1}'


def test_the_digest_is_of_the_bytes_as_they_came() -> None:
    spaced, packed = (ImageConfig.parse(data, "app") for data in (b'{ "a": 1 }', b'{"a":1}'))
    assert spaced.digest != packed.digest
    assert spaced.changed().digest != spaced.digest


def test_lone_surrogates_are_written_as_they_came() -> None:
    config = ImageConfig.parse(rb'{"config":{"User":"\udc80\ud83d\ude00"}}', "app")
    assert config.user == "\udc80\U0001f600"
    changed = config.changed({"os": "linux"})
    assert changed.data == rb'{"config":{"User":"\udc80\ud83d\ude00"},"os":"linux"}'
    assert changed.user == config.user


def test_config_and_manifest_must_agree_about_the_layers() -> None:
    config = config_of({}, rootfs={"diff_ids": [DIFF_ID]})
    check_layer_count(config, 1, "app")
    with pytest.raises(ImageError, match="app: the config lists 1 layers, the manifest 2"):
        check_layer_count(config, 2, "app")
