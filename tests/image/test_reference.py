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
        ("myapp:1.0", "", "myapp:1.0"),
        ("redis:7", "", "redis:7"),
        ("ocis:7", "", "ocis:7"),
        ("dockers:1", "", "dockers:1"),
        ("docker-machine:1", "", "docker-machine:1"),
        ("docker-registry:5000/app", "", "docker-registry:5000/app"),
        ("tar", "", "tar"),
        ("host.tar/app", "", "host.tar/app"),
        ("docker-daemon:go.tar", "docker-daemon", "go.tar"),
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
        ("./app.tar", "./app.tar: a path is no image name; say docker-archive:./app.tar or "),
        ("go.tar", "go.tar: a path is no image name; say docker-archive:go.tar or oci-archive:go"),
        ("go.tar", "oci-archive:go.tar (for an image of that name, docker-daemon:go.tar)"),
        ("go.tgz", "say docker-archive:go.tgz or oci-archive:go.tgz"),
        ("d/go.tar.gz", "say docker-archive:d/go.tar.gz or oci-archive:d/go.tar.gz"),
        ("go.tar.zst", "say docker-archive:go.tar.zst or oci-archive:go.tar.zst"),
        ("go.tar:app:1", "say docker-archive:go.tar:app:1 or oci-archive:go.tar:app:1"),
        ("file:go.tar", "say docker-archive:go.tar or oci-archive:go.tar"),
        ("docker:go.tar", "say docker-archive:go.tar or oci-archive:go.tar"),
        ("host:5000/go.tar", "say docker-archive:host:5000/go.tar or "),
        (
            "dokcer-archive:go.tar",
            "dokcer-archive:go.tar: dokcer-archive: is no transport; did you mean docker-archive:?",
        ),
        ("oci-archiv:x.tar", "did you mean oci-archive:?"),
        ("Docker-Archive:/x.tar", "did you mean docker-archive:?"),
        ("docker_deamon:app", "did you mean docker-daemon:?"),
        ("docker-demon:app", "(for an image of that name, docker-daemon:docker-demon:app)"),
        ("rootf:/srv", "did you mean rootfs:?"),
        ("oc:dir:tag", "did you mean oci:?"),
        ("dokcer://host/app", "did you mean docker://?"),
        ("https://host/app", "https://host/app: this is no image name"),
        ("Docker:20.10", "an image's name is written in lower case: docker:20.10"),
        ("/app", "oci:/app or rootfs:/app"),
        ("App.tar", "say docker-archive:App.tar or oci-archive:App.tar"),
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
