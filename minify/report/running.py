"""How to run the result in a hardened way, for docker and for Kubernetes.

Pure functions of the plan's advice. What is written is a handful of lines, so no YAML library is
needed: every string is a JSON string, which YAML 1.2 reads as it is.
https://docs.docker.com/reference/cli/docker/container/run/
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#security-context
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from minify.planning import Advice, Mount, MountKind, Plan
from minify.report import publishing
from minify.report.escape import printable

PORTS_SYSCTL = "net.ipv4.ip_unprivileged_port_start"

_Json: TypeAlias = "str | int | bool | Sequence[_Json] | Mapping[str, _Json] | None"
_FOR_EVERYBODY = 0o1777
_SHOWN = 4


def docker_run(plan: Plan, image: str) -> str:
    """The `docker run` line for the result, called `image`; quoted for a POSIX shell."""
    advice = plan.advice
    words = ["docker", "run", *publishing.published(plan.config.exposed_ports)]
    words += publishing.volumes(advice.mounts, image)
    if advice.is_read_only:
        words.append("--read-only")
        words += [word for mount in advice.mounts for word in _mount(mount)]
    if advice.knows_capabilities:
        words.append("--cap-drop=ALL")
        words += [f"--cap-add={name}" for name in advice.capabilities]
    if advice.no_new_privileges:
        words.append("--security-opt=no-new-privileges")
    return shlex.join([*words, image])


def _mount(mount: Mount) -> Iterator[str]:
    """The option for one mount; none for a VOLUME, which has its own."""
    if mount.is_declared:
        return
    if mount.kind is MountKind.VOLUME:
        yield f"--mount=type=volume,dst={mount.path}"
        return
    # The engine gives it the mode of the directory, or 1777, but never its owner.
    owned = f"uid={mount.uid},gid={mount.gid},mode={mount.mode:04o}" if _is_owned(mount) else ""
    options = ",".join(filter(None, (owned, "exec" if mount.runs_code else "")))
    yield f"--tmpfs={mount.path}{':' if options else ''}{options}"


def _is_owned(mount: Mount) -> bool:
    """Whether it is a tmpfs that has to be somebody's, be that not root and not everybody."""
    is_plain = mount.mode == _FOR_EVERYBODY or mount.uid == 0
    return mount.kind is MountKind.TMPFS and not is_plain


def pod(plan: Plan) -> str:
    """What a pod's `spec` needs for the result, as YAML; names are placeholders."""
    return "\n".join(_pod(plan.advice)) + "\n"


def _pod(advice: Advice) -> Iterator[str]:
    yield "securityContext:"
    yield from _indented(_pod_context(advice))
    yield "containers:"
    yield "  - name: app"
    yield "    securityContext:"
    yield from _indented(_container_context(advice), "      ")
    mounts = advice.mounts if advice.is_read_only else _volumes(advice)
    if not mounts:
        return
    yield "    volumeMounts:"
    for number, mount in enumerate(mounts):
        yield f"      - name: {_name(number)}"
        yield f"        mountPath: {_text(mount.path)}"
    yield "volumes:"
    for number, mount in enumerate(mounts):
        yield f"  - name: {_name(number)}"
        yield f"    emptyDir: {{}}{_hint(mount)}"


def _volumes(advice: Advice) -> tuple[Mount, ...]:
    return tuple(mount for mount in advice.mounts if mount.is_declared)


def _pod_context(advice: Advice) -> Iterator[str]:
    is_root = advice.uid == 0
    yield f"runAsNonRoot: {_boolean(not is_root)}"
    if not advice.is_arbitrary:
        yield f"runAsUser: {advice.uid}"
        yield f"runAsGroup: {advice.gid}"
        if advice.groups:
            yield f"supplementalGroups: {list(advice.groups)}"
    if advice.mounts and not is_root and not advice.is_arbitrary:
        # An emptyDir belongs to root; this makes its group the user's.
        yield f"fsGroup: {advice.gid}"
    if advice.ports and not is_root:
        yield "sysctls:"
        yield f"  - name: {PORTS_SYSCTL}"
        yield '    value: "0"'
    yield "seccompProfile:"
    yield "  type: RuntimeDefault"


def _container_context(advice: Advice) -> Iterator[str]:
    yield f"allowPrivilegeEscalation: {_boolean(not advice.no_new_privileges)}"
    yield f"readOnlyRootFilesystem: {_boolean(advice.is_read_only)}"
    if advice.knows_capabilities:
        yield "capabilities:"
        yield "  drop: [ALL]"
        if advice.capabilities:
            yield f"  add: [{', '.join(advice.capabilities)}]"


def _hint(mount: Mount) -> str:
    if mount.files:
        files = "file" if mount.files == 1 else "files"
        return f"  # hides {mount.files:,} {files} of the image: copy what is there, or fill it"
    return "  # data: a persistentVolumeClaim keeps it" if mount.is_declared else ""


def _indented(lines: Iterator[str], by: str = "  ") -> Iterator[str]:
    return (f"{by}{line}" for line in lines)


def _name(number: int) -> str:
    return f"writable-{number}"


def _boolean(value: bool) -> str:  # noqa: FBT001 (a word for a value)
    return "true" if value else "false"


def _text(text: str) -> str:
    return json.dumps(text)


def document(plan: Plan) -> Mapping[str, _Json]:
    """The advice for the JSON report; texts of the image are escaped."""
    advice = plan.advice
    return {
        "user": {
            "uid": advice.uid,
            "gid": advice.gid,
            "groups": list(advice.groups),
            "arbitrary_uid": advice.is_arbitrary,
        },
        "read_only": advice.is_read_only,
        "written_elsewhere": [printable(path) for path in advice.unmounted],
        "also_writable": [printable(path) for path in advice.also_writable],
        "mounts": [_mount_document(mount) for mount in advice.mounts],
        "capabilities": list(advice.capabilities),
        "capabilities_known": advice.knows_capabilities,
        "no_new_privileges": advice.no_new_privileges,
        "ports_below_1024": [printable(port) for port in advice.ports],
        "explanations": list(explanations(plan)),
    }


def _mount_document(mount: Mount) -> Mapping[str, _Json]:
    return {
        "path": printable(mount.path),
        "kind": mount.kind.value,
        "declared": mount.is_declared,
        "uid": mount.uid,
        "gid": mount.gid,
        "mode": f"{mount.mode:04o}",
        "files": mount.files,
    }


def explanations(plan: Plan) -> tuple[str, ...]:
    """What the line and the snippet cannot say for themselves, a sentence each, escaped."""
    return tuple(_explanations(plan.advice))


def _explanations(advice: Advice) -> Iterator[str]:
    if advice.ports and advice.uid != 0:
        ports = printable(", ".join(advice.ports))
        yield (
            f"{ports}: docker 20.10 and later lets every user bind ports below 1024 in a network"
            " of the container's own, but with --network host only root; elsewhere it takes"
            f" --sysctl {PORTS_SYSCTL}=0 (podman) or the same in the pod (Kubernetes, where it is"
            " safe since 1.22, and not needed with containerd 2.0 and later)"
        )
    if advice.uid == 0:
        known = ", ".join(advice.capabilities)
        shown = f"; it surely needs {known}" if known else ""
        yield (
            "the image runs as root: what it writes to and which capabilities it can do without is"
            f" not worked out, so the root file system stays writable and none is dropped{shown}"
        )
    if advice.capabilities and advice.knows_capabilities:
        yield (
            f"{', '.join(advice.capabilities)}: a program of the image has it as a file capability;"
            " where the container may not have it the program does not start, and no-new-privileges"
            " would take it away"
        )
    elif not advice.no_new_privileges:
        yield "no-new-privileges would make the setuid and setgid programs of the image useless"
    if advice.is_read_only and any(map(_is_owned, advice.mounts)):
        yield (
            "uid, gid and mode stand there since a tmpfs without them belongs to root; podman"
            " writes them as --mount type=tmpfs,dst=PATH,U=true"
        )
    if advice.unmounted and advice.uid != 0:
        yield (
            f"the root file system stays writable: the program writes to {_some(advice.unmounted)},"
            " where nothing can be mounted"
        )
    if advice.is_read_only and advice.also_writable:
        yield (
            f"the user may write to {_some(advice.also_writable)} too; nothing shows"
            " that the program does"
        )
    if advice.closed_workdir is not None:
        where = printable(advice.closed_workdir)
        yield (
            f"root could write to the working directory {where}, and {advice.uid} cannot: if the"
            f" program makes files there, --writable {where}"
        )
    if advice.is_arbitrary:
        yield "any user id does, as long as its group is 0: docker run --user 12345:0"


def _some(paths: Sequence[str]) -> str:
    """The first few of `paths`, escaped."""
    more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
    return f"{printable(', '.join(paths[:_SHOWN]))}{more}"
