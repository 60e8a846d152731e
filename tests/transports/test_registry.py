"""Images from and to a real registry, with no daemon."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import docker_engine, require
from images.engines import Engine

from minify.errors import ImageError, OutputError, UsageError
from minify.image import Digest, Image, Reference
from minify.image.blob import BytesBlob
from minify.transports import OpenOptions, Pull, WriteOptions, check_output, open_image
from minify.transports.registry import pull
from transports import kit, registries
from transports.kit import sample
from transports.registries import (
    PASSWORD,
    USER,
    Certificate,
    Proxy,
    Registry,
    certificate,
    distribution,
    fill,
    opened,
    skopeo,
    written,
)

pytestmark = pytest.mark.engine

ONE, TWO = sample("one"), sample("two")
ARM = sample("arm", "linux/arm64/v8")


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login and no certificate of whoever runs the tests."""
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with `one:1`, and with `all:1` for two platforms and their attestations."""
    directory = tmp_path_factory.mktemp("registry")
    with distribution(directory / "storage") as started:
        fill(started, directory / "one", kit.layout([ONE]), "one:1")
        fill(started, directory / "all", kit.multi_platform([ONE, ARM]), "all:1")
        yield started


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    with docker_engine() as engine:
        yield engine


def login(directory: Path, host: str) -> None:
    """What `docker login` writes."""
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    kit.write_tree(
        directory, {"config.json": json.dumps({"auths": {host: {"auth": auth}}}).encode()}
    )


def layout_image(directory: Path, one: kit.Sample = ONE) -> Image:
    return kit.opened(f"oci:{kit.write_tree(directory / one.id, kit.layout([one]))}")


def test_what_skopeo_pushed_is_pulled(registry: Registry) -> None:
    name = f"docker://{registry.address}/one:1"
    image = open_image(Reference.parse(name), OpenOptions())
    assert kit.is_whole(image, ONE)
    assert image.name == name
    assert str(image.manifest_digest) == registry.tags("one")["1"]
    assert image.index_digest is None
    assert image.annotations == {"com.example": "kept"}
    assert image.layers[1].name.startswith(f"{name}: layer 2 of 3 (sha256:")
    by_digest = f"docker://{registry.address}/one@{image.manifest_digest}"
    assert kit.is_whole(opened(by_digest), ONE)
    assert kit.is_whole(opened(f"docker://{registry.address}/one:2@{image.manifest_digest}"), ONE)


def test_the_platform_is_never_assumed(registry: Registry) -> None:
    name = f"docker://{registry.address}/all:1"
    with pytest.raises(ImageError, match=r"one with --platform: linux/amd64, linux/arm64/v8$"):
        opened(name)
    with pytest.raises(ImageError, match="no image for linux/s390x; there is"):
        opened(name, "linux/s390x")
    image = opened(name, "linux/arm64")
    assert kit.is_whole(image, ARM)
    assert str(image.index_digest) == registry.tags("all")["1"]
    inspected = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", name))
    assert str(image.manifest_digest) in {one["digest"] for one in inspected["manifests"]}


def test_what_is_pushed_is_pulled_by_others(registry: Registry, tmp_path: Path) -> None:
    name = f"docker://{registry.address}/pushed/app:slim"
    check_output(Reference.parse(name), WriteOptions())
    assert (registry.uploads(), registry.tags("pushed/app")) == ([], {})
    result = written(layout_image(tmp_path), name)
    assert (result.reference, result.image_id) == (name, Digest.parse(ONE.id))
    assert registry.tags("pushed/app") == {"slim": str(result.manifest_digest)}
    assert registry.uploads() == []
    skopeo("copy", "--src-tls-verify=false", name, f"oci:{tmp_path}/copied:1")
    assert kit.is_whole(kit.opened(f"oci:{tmp_path}/copied:1"), ONE)
    assert kit.is_whole(opened(name), ONE)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """podman's paths must be short."""
    with tempfile.TemporaryDirectory(prefix="minify-") as directory:
        yield Path(directory)


def test_podman_pulls_what_was_pushed(registry: Registry, tmp_path: Path, short_path: Path) -> None:
    require("podman")
    name = f"{registry.address}/podman/app:1"
    written(layout_image(tmp_path, sample("one", layers=2)), f"docker://{name}")
    podman = ["podman", f"--root={short_path}/root", f"--runroot={short_path}/run"]
    podman += [f"--tmpdir={short_path}/state", "--storage-driver=vfs"]
    pull = [*podman, "pull", "--quiet", "--tls-verify=false", f"docker://{name}"]
    done = subprocess.run(pull, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == sample("one", layers=2).id.removeprefix("sha256:")


def test_docker_pulls_what_was_pushed(registry: Registry, docker: Engine, tmp_path: Path) -> None:
    one, name = sample("docker's", layers=2), f"{registry.address}/docker/app:1"
    written(layout_image(tmp_path, one), f"docker://{name}")
    try:
        docker("pull", "--quiet", name)
        assert json.loads(docker("inspect", name))[0]["Id"] == one.id
    finally:
        docker.try_run("rmi", "--force", one.id)


def test_an_image_without_layers_is_an_image(registry: Registry, tmp_path: Path) -> None:
    empty, name = sample("empty", layers=0), f"docker://{registry.address}/empty:1"
    written(layout_image(tmp_path, empty), name)
    assert kit.is_whole(opened(name), empty)


def test_only_what_is_new_is_sent(registry: Registry, tmp_path: Path) -> None:
    image = layout_image(tmp_path, TWO)
    with Proxy(registry.address) as proxy:
        name = f"docker://{proxy.address}/new/app"
        written(image, f"{name}:1")
        # Three layers and the config; a manifest.
        assert (proxy.count("PUT", "/blobs/"), proxy.count("PUT", "/manifests/1$")) == (4, 1)
        assert proxy.seen[-1].path.endswith("/manifests/1")
        written(image, f"{name}:2")
        assert (proxy.count("PUT", "/blobs/"), proxy.count("PUT", "/manifests/2$")) == (4, 1)


def test_layers_of_a_neighbour_are_mounted(registry: Registry) -> None:
    with Proxy(registry.address) as proxy:
        image = opened(f"docker://{proxy.address}/one:1")
        written(image, f"docker://{proxy.address}/mounted/app:1")
        assert proxy.count("POST", r"\?mount=sha256:[0-9a-f]{64}&from=one$") == 3
        assert proxy.count("PUT", "/blobs/") == 1  # the config
    assert kit.is_whole(opened(f"docker://{registry.address}/mounted/app:1"), ONE)


def test_each_blob_is_pulled_once(registry: Registry, tmp_path: Path) -> None:
    layers = (ONE.layers[0],) * 3
    document = json.loads(ONE.config)
    document["rootfs"]["diff_ids"] = [kit.digest(layer) for layer in layers]
    twin = kit.Sample(json.dumps(document).encode(), layers, "linux/amd64")
    source = kit.write_file(tmp_path / "old.tar", kit.old_docker_save([twin]))
    image = kit.opened(f"docker-archive:{source}")
    with Proxy(registry.address) as proxy:
        written(image, f"docker://{proxy.address}/twin:1")
        assert proxy.count("PUT", "/blobs/") <= 2
        assert kit.is_whole(opened(f"docker://{proxy.address}/twin:1"), twin)
        assert proxy.count("GET", "/blobs/sha256") == 2  # one layer, the config
        assert proxy.count("GET", "/manifests/") == 1


def test_a_damaged_layer_is_not_pushed(registry: Registry, tmp_path: Path) -> None:
    image = layout_image(tmp_path, sample("to be damaged"))
    first, second, third = image.layers
    data = second.blob.open().read(1 << 20)
    for wrong in (data[:-1] + b"x", data[:-1]):
        damaged = replace(image, layers=(first, replace(second, blob=BytesBlob(wrong)), third))
        with pytest.raises(ImageError, match=r"layer 2 of 3 .* (is damaged|shorter)"):
            written(damaged, f"docker://{registry.address}/damaged:1")
    assert registry.tags("damaged") == {}


def test_a_digest_can_be_required(registry: Registry) -> None:
    name = Reference.parse(f"docker://{registry.address}/one:1")
    with pytest.raises(UsageError) as caught:
        open_image(name, OpenOptions(require_digest=True))
    paste = str(caught.value).rpartition(" ")[2]
    assert paste == f"docker://{registry.address}/one:1@{registry.tags('one')['1']}"
    assert kit.is_whole(open_image(Reference.parse(paste), OpenOptions(require_digest=True)), ONE)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none:1", r"does not have the manifest \(404 .*check the name 127\.0\.0\.1:\d+/none:1$"),
        ("one@sha256:" + "1" * 64, r"does not have the manifest \(404 MANIFEST_UNKNOWN"),
    ],
)
def test_what_is_not_there_is_told(name: str, said: str, registry: Registry) -> None:
    with pytest.raises(ImageError, match=said):
        opened(f"docker://{registry.address}/{name}")


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1", "registry.example")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, trusted: Certificate) -> Iterator[Registry]:
    """A registry with TLS and a login."""
    directory = tmp_path_factory.mktemp("locked") / "storage"
    with distribution(directory, tls=trusted, login=True) as started:
        yield started


def test_a_private_ca_is_found_where_docker_and_podman_keep_it(
    locked: Registry, trusted: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"docker://{locked.address}/app:1"
    login(tmp_path, locked.address)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    image = layout_image(tmp_path)
    with pytest.raises(OutputError, match=r"is not trusted \(.*certs\.d.*--tls-verify=false$"):
        written(image, name)
    directory = tmp_path / f"home/.config/containers/certs.d/{locked.address}"
    kit.write_tree(directory, {"own.crt": trusted.ca.read_bytes()})
    written(image, name)
    assert kit.is_whole(opened(name), ONE)
    (directory / "own.crt").unlink()
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        with pytest.raises(ImageError, match="is not trusted"):
            opened(name)
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(trusted.ca))
            assert kit.is_whole(opened(name), ONE)
    options = OpenOptions(tls_verify=False)
    assert kit.is_whole(open_image(Reference.parse(name), options), ONE)
    kit.write_tree(directory, {"bad.crt": b"no certificate"})
    with pytest.raises(ImageError, match=r"bad\.crt: this certificate cannot be used"):
        opened(name)


def test_who_we_are_is_shown_by_a_certificate(
    registry: Registry, trusted: Certificate, tmp_path: Path
) -> None:
    with Proxy(registry.address, tls=trusted) as proxy:
        assert proxy.context is not None
        proxy.context.load_verify_locations(trusted.ca)
        proxy.context.verify_mode = ssl.CERT_REQUIRED
        name = f"docker://{proxy.address}/one:1"
        directory = tmp_path / f"home/.config/containers/certs.d/{proxy.address}"
        kit.write_tree(directory, {"own.crt": trusted.ca.read_bytes()})
        # The server's reason is lost when it closes before we have read it.
        with pytest.raises(
            ImageError, match=r"does not accept us \(.* as client\.cert|cut the conn"
        ):
            opened(name)
        kit.write_tree(directory, {"us.cert": trusted.certificate.read_bytes()})
        with pytest.raises(ImageError, match=r"us\.cert: this certificate cannot be used"):
            opened(name)
        kit.write_tree(directory, {"us.key": trusted.key.read_bytes()})
        assert kit.is_whole(opened(name), ONE)


def test_a_login_is_needed_and_used(
    locked: Registry, trusted: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.ca))
    name = f"docker://{locked.address}/login/app:1"
    image = layout_image(tmp_path)
    for attempt in (lambda: opened(name), lambda: written(image, name)):
        with pytest.raises((ImageError, OutputError)) as caught:
            attempt()
        assert "without a login that it knows (401" in str(caught.value)
        assert str(caught.value).endswith(f"docker login {locked.address}")
    with pytest.raises(OutputError, match="docker login"):
        check_output(Reference.parse(name), WriteOptions())
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    wrong = base64.b64encode(f"{USER}:wrong".encode()).decode()
    keys = {f"{locked.address}/login": {"auth": auth}, locked.address: {"auth": wrong}}
    document = json.dumps({"auths": keys}).encode()
    kit.write_tree(tmp_path, {"containers/auth.json": document})
    written(image, name)
    assert kit.is_whole(opened(name), ONE)
    with pytest.raises(ImageError, match="docker login"):
        opened(f"docker://{locked.address}/other/app:1")


def test_credential_helpers_are_asked(
    locked: Registry, trusted: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.ca))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    name = f"docker://{locked.address}/helper/app:1"
    answer = json.dumps({"ServerURL": "", "Username": USER, "Secret": PASSWORD})
    helper = kit.write_file(
        tmp_path / "docker-credential-tests",
        f'#!/bin/sh\nread -r server\n[ "$1 $server" = "get {locked.address}" ] ||'
        f" {{ echo credentials not found in native keychain; exit 1; }}\n"
        f"cat <<'EOF'\n{answer}\nEOF\n".encode(),
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for document in ({"credHelpers": {locked.address: "tests"}}, {"credsStore": "tests"}):
        (tmp_path / "config.json").write_text(json.dumps(document))
        written(layout_image(tmp_path), name)
        assert kit.is_whole(opened(name), ONE)
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "none-such"}))
    with pytest.raises(ImageError, match="docker-credential-none-such, which docker's config"):
        opened(name)
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "../../bin/sh"}))
    with pytest.raises(ImageError, match="no credential helper's name"):
        opened(name)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ImageError, match=r"config\.json is no JSON document"):
        opened(name)
    helper.write_text("#!/bin/sh\necho locked out >&2; exit 1\n")
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "tests"}))
    with pytest.raises(OutputError, match=r"docker-credential-tests failed for .*: locked out"):
        written(layout_image(tmp_path), name)


def test_it_works_as_nobody_with_no_home_to_write(registry: Registry, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming nobody needs root")
    tmp_path.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    program = (
        # The interpreter may lie where nobody has no access, and it looks for this one late.
        "import os, encodings.idna\n"
        "from minify.image import Reference\n"
        "from minify.transports.registry import pull, push\n"
        "from minify.transports import *\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        f"image = open_image(Reference.parse('docker://{registry.address}/one:1'), OpenOptions())\n"
        f"target = Reference.parse('docker://{registry.address}/nobody/app:1')\n"
        "check_output(target, WriteOptions())\n"
        "print(write_image(image, target, WriteOptions()).image_id)\n"
    )
    environment = {
        "PATH": "/nonexistent",
        "HOME": "/proc",
        "TMPDIR": str(out),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ONE.id), done.stderr
    assert list(out.iterdir()) == []


def test_a_web_proxy_leads_there(
    registry: Registry, trusted: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.ca))
    name = "docker://registry.example/one:1"
    with Proxy(registry.address, tls=trusted) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        assert kit.is_whole(opened(name), ONE)
        assert set(proxy.tunnels) == {"registry.example:443"}
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8,.example")
        with pytest.raises(ImageError, match=r"there is no host registry\.example "):
            opened(name)
    monkeypatch.delenv("NO_PROXY")
    with pytest.raises(ImageError, match=r"registry\.example does not answer \(the proxy: Conn"):
        opened(name)


def test_a_web_proxy_leads_to_a_registry_without_tls(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = Reference.parse("docker://registry.example/one:1")
    with Proxy(registry.address) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
        image = pull.open_image(name, OpenOptions(tls_verify=False), registries.QUICK)
        assert kit.is_whole(image, ONE)
        assert proxy.seen[0].path == "http://registry.example/v2/one/manifests/1"
        with pytest.raises(ImageError, match=r"there is no host registry\.example"):
            opened(str(name))


def test_nothing_is_fetched_that_is_not_needed(registry: Registry) -> None:
    with Proxy(registry.address) as proxy:
        opened(f"docker://{proxy.address}/all:1", "linux/arm64")
        assert proxy.count("GET", "/manifests/") == 2
    with Proxy(registry.address) as proxy:
        with pytest.raises(ImageError, match="has no image for linux/arm64; there is linux/amd64"):
            opened(f"docker://{proxy.address}/one:1", "linux/arm64")
        assert proxy.count("GET", "/blobs/") == 1  # the config


@pytest.fixture
def no_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def open_named(name: str, pull: Pull) -> Image:
    return open_image(Reference.parse(name), OpenOptions(pull=pull))


@pytest.mark.usefixtures("no_daemon")
def test_a_plain_name_is_the_registrys_where_no_daemon_has_it(registry: Registry) -> None:
    name = f"{registry.address}/one:1"
    image = open_named(name, Pull.MISSING)
    assert kit.is_whole(image, ONE)
    assert (image.name, str(image.manifest_digest)) == (name, registry.tags("one")["1"])
    with pytest.raises(ImageError) as caught:
        open_named(name, Pull.NEVER)
    assert str(caught.value) == (
        f"{name}: no docker daemon answers at unix:///nonexistent/docker.sock: No such file or"
        f" directory; --pull missing would ask the registry for docker://{name}"
    )
    with pytest.raises(ImageError, match=r"404 .*; no docker daemon answers at unix:") as caught:
        open_named(f"{registry.address}/none:1", Pull.MISSING)
    assert "\n" not in str(caught.value)
    with pytest.raises(ImageError, match="an id cannot be pulled"):
        open_named(ONE.id, Pull.MISSING)


@pytest.mark.usefixtures("no_daemon")
def test_a_path_of_the_host_that_is_no_image_is_told(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    host = registry.address
    kit.write_tree(tmp_path, {f"{host}/file": b"", f"{host}/directory/file": b""})
    with pytest.raises(ImageError, match=rf"; for the file {host}/file say docker-archive:"):
        open_named(f"{host}/file", Pull.MISSING)
    with pytest.raises(ImageError, match=rf"; for the directory {host}/directory say oci:"):
        open_named(f"{host}/directory", Pull.MISSING)


def test_the_daemons_image_comes_first(
    registry: Registry, docker: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker.host)
    name, others = f"{registry.address}/one:1", sample("the daemon's", layers=1)
    try:
        assert kit.is_whole(open_named(name, Pull.MISSING), ONE)
        assert not docker("images", "--quiet")
        kit.written(layout_image(tmp_path, others), name)
        assert kit.is_whole(open_named(name, Pull.MISSING), others)
        assert kit.is_whole(open_named(name, Pull.NEVER), others)
        assert kit.is_whole(open_named(name, Pull.ALWAYS), ONE)
        with pytest.raises(ImageError, match="the daemon has no such image; --pull missing"):
            open_named(f"{registry.address}/all:1", Pull.NEVER)
    finally:
        for image_id in set(docker("images", "--all", "--quiet").split()):
            docker.try_run("rmi", "--force", image_id)
