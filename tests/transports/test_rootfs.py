"""A directory of the host is read as the tar it would be, and nothing outside of it is."""

from __future__ import annotations

import io
import os
import socket
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filetree.kit import shown

from minify.errors import ImageError
from minify.filetree import FileTree
from minify.image import Image
from minify.transports.hostdir import HostDirectory
from minify.transports.hosttar import HostTar
from minify.transports.mounts import PSEUDO_TYPES, pseudo_devices
from transports.kit import opened, written

NOT_UTF8 = b"caf\xe9 \xff"
LONG = "long/" + "/".join(["n" * 60] * 4)


def populate(root: Path) -> None:
    """Some of everything that a tar can hold."""
    (root / "bin").mkdir(mode=0o755)
    (root / "bin/app").write_bytes(b"#!/bin/sh\n" * 100)
    (root / "bin/app").chmod(0o4755)
    os.link(root / "bin/app", root / "a-second-name")
    (root / "empty").write_bytes(b"")
    (root / "block").write_bytes(b"x" * 512)
    (root / "sh").symlink_to("/bin/../bin/app")
    odd = os.fsdecode(NOT_UTF8)
    (root / "odd-link").symlink_to(f"/{odd}")
    (root / odd).write_text("odd name\n")
    (root / LONG).mkdir(parents=True)
    (root / LONG / "file").write_text("deep\n")
    os.mkfifo(root / "fifo", 0o600)
    for number, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        exact = 1_700_000_000_000_000_000 + number * 1_000_000_007
        os.utime(path, ns=(0, exact), follow_symlinks=False)
    os.utime(root / "empty", ns=(0, -1_500_000_000))
    os.utime(root / "block", ns=(0, 12_000_000_000))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    populate(path)
    return path


def whole_tar(image: Image, size: int = 1 << 16) -> bytes:
    stream = image.layers[0].blob.open()
    return b"".join(iter(lambda: stream.read(size), b""))


def facts(root: Path) -> dict[bytes, tuple[object, ...]]:
    """All that a tar keeps of what is below `root`; links and sockets as in the module's words."""
    found: dict[bytes, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        name = os.fsencode(path.relative_to(root))
        status = path.lstat()
        kind = stat.S_IFMT(status.st_mode)
        content: object = None
        if kind == stat.S_IFREG:
            content = path.read_bytes()
        elif kind == stat.S_IFLNK:
            content = str(path.readlink())
        names = status.st_nlink if kind != stat.S_IFDIR else 0
        size = status.st_size if kind == stat.S_IFREG else 0
        rest = (status.st_uid, status.st_gid, status.st_mtime_ns, status.st_rdev, names, size)
        found[name] = (oct(status.st_mode), *rest, content)
    return found


def test_gnu_tar_makes_the_same_tree_of_it(root: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.chown(root / "block", 3_000_000_000, 4711)
    out = tmp_path / "out"
    out.mkdir()
    archive = tmp_path / "root.tar"
    archive.write_bytes(whole_tar(opened(f"rootfs:{root}")))
    # A directory's members come before what is below them, so its time is set at the end.
    options = ["--numeric-owner", "--delay-directory-restore", "--same-permissions"]
    extract = ["tar", *options, "-xf", str(archive), "-C", str(out)]
    done = subprocess.run(extract, capture_output=True, check=False)
    said = [line for line in done.stderr.splitlines() if b"hdrcharset" not in line]
    assert (done.returncode, len(said)) == (0, 1), said  # GNU tar doubts the time before 1970
    assert facts(out) == facts(root)
    assert len(facts(out)) > 15


def test_tarfile_reads_each_member(root: Path) -> None:
    data = whole_tar(opened(f"rootfs:{root}"), 1000)
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8") as tar:
        members = {one.name: one for one in tar}
    names = [os.fsencode(path.relative_to(root)) for path in root.rglob("*")]
    assert next(iter(members)) == "."
    assert {os.fsencode(name) for name in members} == {b".", *names}
    second = members["bin/app"]
    assert (second.type, second.linkname) == (tarfile.LNKTYPE, "a-second-name")
    assert {(one.uname, one.gname) for one in members.values()} == {("", "")}
    assert members["empty"].pax_headers["mtime"] == "-1.5"
    assert "mtime" not in members["block"].pax_headers


def test_the_bytes_are_the_same_however_they_are_read(root: Path) -> None:
    data = whole_tar(opened(f"rootfs:{root}"))
    assert whole_tar(opened(f"rootfs:{root}")) == data
    image = opened(f"rootfs:{root}")
    first, second = image.layers[0].blob.open(), image.layers[0].blob.open()
    for offset in (0, 700, len(data) - 1, len(data), 1500, 512, len(data) // 2):
        for stream in (first, second):
            stream.seek(offset)
            assert stream.read(3000) == data[offset : offset + 3000]
            assert stream.tell() == min(offset + 3000, max(len(data), offset))


def test_the_tree_of_it(root: Path) -> None:
    tree = FileTree.from_layers(opened(f"rootfs:{root}").layers)
    app = tree.resolve("/sh").entry
    assert app is not None
    assert app.link_group is not None
    assert tree.read(app) == (root / "bin/app").read_bytes()
    assert tree.resolve(f"/{LONG}/file").entry is not None
    assert len(shown(tree)) == len(["/", *root.rglob("*")])


def test_sockets_are_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        tree = FileTree.from_layers(opened(f"rootfs:{root}").layers)
    assert tree.get("/socket") is None
    assert tree.get("/fifo") is not None


def test_attributes_that_an_image_keeps(root: Path) -> None:
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    wanted = {"user.one": b"\x00\xff=\n", "user.overlay.opaque": b"y"}
    if os.geteuid() == 0:
        wanted |= {"security.capability": capability, "trusted.overlay.opaque": b"y"}
    try:
        for key, value in wanted.items():
            os.setxattr(root / "block", key, value)
    except OSError as error:
        pytest.skip(f"this file system has no extended attributes: {error}")
    entry = FileTree.from_layers(opened(f"rootfs:{root}").layers).file("/block")
    assert entry is not None
    kept = {key: value.encode("utf-8", "surrogateescape") for key, value in entry.xattrs}
    assert kept.pop("user.one") == b"\x00\xff=\n"
    assert kept == ({"security.capability": capability} if os.geteuid() == 0 else {})


def test_names_depend_on_no_locale(root: Path) -> None:
    program = (
        "import sys, hashlib; sys.path[:0] = sys.argv[2:]; from transports.test_rootfs import *;"
        "print(hashlib.sha256(whole_tar(opened('rootfs:' + sys.argv[1]))).hexdigest())"
    )
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    found = set()
    for locale in ("C", "C.UTF-8", "POSIX"):
        environment = {**os.environ, "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0"}
        for mode in ("0", "1"):
            options = ["-X", f"utf8={mode}", "-c", program]
            command = [sys.executable, *options, str(root), *paths]
            found.add(subprocess.check_output(command, env=environment))
    assert len(found) == 1


def test_a_changed_file_is_an_error(root: Path) -> None:
    image = opened(f"rootfs:{root}")
    tree = FileTree.from_layers(image.layers)
    entry = tree.file("/block")
    assert entry is not None
    (root / "block").write_bytes(b"y" * 512)
    with pytest.raises(ImageError, match=r"/block was changed while it was read"):
        tree.read(entry)
    with pytest.raises(ImageError, match=r"/block was changed while it was read"):
        whole_tar(image)
    (root / "block").unlink()
    with pytest.raises(ImageError, match=r"/block cannot be read: No such file"):
        tree.read(entry)


def test_a_link_in_its_place_is_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s" * 512)
    tree = FileTree.from_layers(opened(f"rootfs:{root}").layers)
    entry = tree.file("/block")
    assert entry is not None
    (root / "block").unlink()
    (root / "block").symlink_to(tmp_path / "secret")
    with pytest.raises(ImageError, match="/block cannot be read"):
        tree.read(entry)
    (root / "bin").rename(tmp_path / "bin")
    (root / "bin").symlink_to(tmp_path / "bin")
    (tmp_path / "bin/more").write_bytes(b"m")
    assert FileTree.from_layers(opened(f"rootfs:{root}").layers).get("/bin/more") is None


def test_the_directory_may_be_named_by_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert whole_tar(opened(f"rootfs:{tmp_path}/link")) == whole_tar(opened(f"rootfs:{root}"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/none", "cannot be opened: No such file"),
        ("/root/block", "is no directory; expected a root filesystem"),
    ],
)
def test_what_is_no_directory_is_told(path: str, said: str, root: Path) -> None:
    with pytest.raises(ImageError, match=said):
        opened(f"rootfs:{root.parent}{path}")


def test_a_pseudo_file_system_is_no_root() -> None:
    with pytest.raises(ImageError, match="lies on a pseudo file system"):
        whole_tar(opened("rootfs:/proc"))


@pytest.fixture
def mounted(root: Path) -> Iterator[Path]:
    """`root` with a proc and a tmpfs below it."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    done: list[str] = []
    try:
        for kind, name in (("proc", "proc"), ("tmpfs", "run")):
            (root / name).mkdir()
            mount = ["mount", "-t", kind, "minify-test", str(root / name)]
            if subprocess.run(mount, capture_output=True, check=False).returncode:
                pytest.skip("mounting is not allowed here")
            done.append(str(root / name))
        (root / "run/pid").write_text("1")
        (root / "run/uptime").touch()
        subprocess.run(
            ["mount", "--bind", str(root / "proc/uptime"), str(root / "run/uptime")], check=True
        )
        done.append(str(root / "run/uptime"))
        yield root
    finally:
        for path in reversed(done):
            subprocess.run(["umount", "--lazy", path], check=True)


def test_pseudo_file_systems_are_shown_empty(mounted: Path) -> None:
    tree = FileTree.from_layers(opened(f"rootfs:{mounted}").layers)
    inside = {
        path: text for path, text in shown(tree).items() if path.startswith(("/proc", "/run"))
    }
    assert inside.pop("/run").startswith("dir 1777")
    assert inside.pop("/run/pid").startswith("file 0644 '1'")
    assert inside == {"/proc": "dir 0755", "/run/uptime": "file 0644 ''"}


def test_the_hosts_own_proc_is_seen() -> None:
    assert Path("/proc").stat().st_dev in pseudo_devices()
    assert Path("/").stat().st_dev not in pseudo_devices()
    assert {"proc", "sysfs", "cgroup2"} <= PSEUDO_TYPES


def check_unreadable(root: Path) -> None:
    (root / "secret").write_text("s")
    (root / "secret").chmod(0)
    (root / "closed").mkdir()
    (root / "closed/in").write_text("s")
    (root / "closed").chmod(0o311)
    tree = FileTree.from_layers(opened(f"rootfs:{root}").layers)
    entry = tree.file("/secret")
    assert entry is not None
    with pytest.raises(ImageError, match=r"/secret cannot be read: Permission denied"):
        tree.read(entry)
    assert tree.children(tree.resolve("/closed").entry.path) == ()  # type: ignore[union-attr]


def test_unreadable_files_are_errors_only_when_they_are_read(root: Path) -> None:
    if os.geteuid() != 0:
        check_unreadable(root)
        return
    for path in (root, *root.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    for path in root.parents:
        if path.stat().st_uid == 0 and path.is_relative_to("/tmp") and path != Path("/tmp"):  # noqa: S108
            path.chmod(0o755)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            check_unreadable(root)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_deep_directories_use_few_descriptors(tmp_path: Path) -> None:
    depth = 1500
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    index = HostTar.of(HostDirectory(tmp_path, "deep"), frozenset()).index
    assert index.member_at(1 << 40) is None
    assert index.end > depth * 512
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_endless_directories_are_refused(tmp_path: Path) -> None:
    name = "d" * 200
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir(name, dir_fd=fd)
        inner = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    with pytest.raises(ImageError, match="longer than any program can open"):
        HostTar.of(HostDirectory(tmp_path, "deep"), frozenset()).index.member_at(1 << 40)
    subprocess.run(["rm", "-rf", str(tmp_path / name)], check=True)


@pytest.mark.parametrize(
    ("header", "platform"),
    [
        ("7f454c4602010100000000000000000003003e00", "linux/amd64"),
        ("7f454c460201010000000000000000000300b700", "linux/arm64/v8"),
        ("7f454c4602020100000000000000000000030016", "linux/s390x"),
        ("7f454c4601010100000000000000000003002800", "linux/arm/v7"),
    ],
)
def test_the_architecture_is_that_of_its_programs(
    header: str, platform: str, tmp_path: Path
) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("/usr/bin")
    (tmp_path / "usr/bin/sh").symlink_to("../../../../bin/dash")
    (tmp_path / "usr/bin/dash").write_bytes(bytes.fromhex(header))
    assert str(opened(f"rootfs:{tmp_path}").config.platform) == platform
    assert str(opened(f"rootfs:{tmp_path}", "linux/386").config.platform) == "linux/386"
    (tmp_path / "usr/bin/dash").unlink()
    (tmp_path / "usr/bin/dash").symlink_to("sh")
    assert opened(f"rootfs:{tmp_path}").config.platform.os == "linux"
    with pytest.raises(ImageError, match="Linux images only"):
        opened(f"rootfs:{tmp_path}", "windows/amd64")


def test_a_root_filesystem_has_to_be_built_first(root: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="has to be built first"):
        written(opened(f"rootfs:{root}"), f"oci:{tmp_path}/out")
