from __future__ import annotations

import pytest
from filetree.kit import unhurried
from hypothesis import given
from hypothesis import strategies as st

from minify.errors import UsageError
from minify.image import Reference

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "transport", "location"),
    [
        ("nginx", "", "nginx"),
        ("nginx:1.27", "", "nginx:1.27"),
        ("docker", "", "docker"),
        ("docker:20.10", "", "docker:20.10"),
        ("oci", "", "oci"),
        ("localhost:5000/a/b:c", "", "localhost:5000/a/b:c"),
        ("[::1]:5000/a", "", "[::1]:5000/a"),
        ("Registry.example.com/a__b/c-d.e", "", "Registry.example.com/a__b/c-d.e"),
        (f"a@{DIGEST}", "", f"a@{DIGEST}"),
        (f"a:b@{DIGEST}", "", f"a:b@{DIGEST}"),
        (DIGEST, "", DIGEST),
        ("0123abcdef", "", "0123abcdef"),
        ("docker-daemon:a:b", "docker-daemon", "a:b"),
        ("docker-daemon:why", "docker-daemon", "why"),
        ("docker://host/a:b", "docker", "host/a:b"),
        ("docker-archive:dir/a.tar", "docker-archive", "dir/a.tar"),
        ("docker-archive:a.tar:name:tag", "docker-archive", "a.tar:name:tag"),
        ("docker-archive:/A B/ä:x", "docker-archive", "/A B/ä:x"),
        ("oci:dir:tag", "oci", "dir:tag"),
        ("oci-archive:a.tar", "oci-archive", "a.tar"),
        ("rootfs:/", "rootfs", "/"),
    ],
)
def test_what_a_user_may_write(text: str, transport: str, location: str) -> None:
    found = Reference.parse(text)
    assert (found.transport.value, found.location, str(found)) == (transport, location, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the image's name is empty"),
        ("oci:", "oci:: nothing stands after oci:; expected oci:directory[:tag]"),
        ("docker://", "docker://: nothing stands after docker:; expected docker://host/name:tag"),
        ("rootfs:", "rootfs:: nothing stands after rootfs:; expected rootfs:/path"),
        ("dir:x", "dir:x: minify has no transport 'dir'; copy it first: skopeo copy dir:PATH oci:"),
        ("containers-storage:x", "save it first: podman save --format oci-archive -o image.tar"),
        ("ostree:x", "copy it first: skopeo copy ostree:"),
        ("./app.tar", "./app.tar: a path is no image name; say docker-archive:./app.tar, "),
        ("/app", "oci:/app or rootfs:/app"),
        ("App.tar", "App.tar: a path is no image name"),
        ("~/x", "~/x: a path is no image name"),
        ("Ubuntu", "Ubuntu: an image's name is written in lower case: ubuntu"),
        ("0123ABC", "0123ABC: an image id is written in lower-case hex digits"),
        ("a b", "a b: this is no image name; expected [host/]name[:tag][@digest]"),
        ("a:", "a:: this is no image name"),
        ("a:b:c", "a:b:c: this is no image name"),
        ("a@sha256:12", "a@sha256:12: this is no image name"),
        ("a\n", "a\n: this is no image name"),
        ("-x", "-x: this is no image name"),
        ("ä", "ä: this is no image name"),
    ],
)
def test_what_a_user_may_not_write_is_told_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Reference.parse(text)
    assert message in str(caught.value)


_texts = st.text("aB:/@.- 0", max_size=12)
_prefixes = st.sampled_from(["", "oci:", "docker:", "docker://", "rootfs:", "docker-archive:"])


@unhurried
@given(_prefixes, _texts)
def test_a_reference_is_written_as_it_is_parsed(prefix: str, text: str) -> None:
    try:
        found = Reference.parse(prefix + text)
    except UsageError:
        return
    assert Reference.parse(str(found)) == found
