"""The job on one page: open, merge, roots, closure, user, plan, build, check, publish.

Everything before `build_image` only reads, so a refusal leaves nothing behind; everything after it
happens in temporary files until the medium publishes the result in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from minify.build import BuildOptions, build_image
from minify.closure import (
    CONFIG,
    Analyzer,
    Context,
    Finding,
    Gap,
    ImageRule,
    KeepSet,
    Level,
    Likelihood,
    Need,
    Pruner,
    Pruning,
    Reason,
    solve,
)
from minify.closure.patterns import Dropped, keep_findings, kept_programs
from minify.closure.roots import Roots, find_roots
from minify.errors import CheckError, UsageError
from minify.filetree import FileTree, ImagePath
from minify.identity import Identity, Wishes, choose_user, unchanged_user
from minify.image import Image, ImageConfig, Platform, Reference, Transport, edits
from minify.image.compression import Compression
from minify.image.edits import Edits, edited
from minify.image.kept import Room
from minify.packages import read_packages
from minify.planning import LevelSize, Plan, PlanOptions, is_minified, level_sizes, make_plan
from minify.progress import SILENT, Progress
from minify.report import Explanation, Result
from minify.selfcheck import check_closure, check_content
from minify.transports import (
    OpenOptions,
    Pull,
    WriteOptions,
    check_index_output,
    check_output,
    open_image,
    write_image,
)

_TAKE_ZSTD = (Transport.OCI, Transport.REGISTRY)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may say beside source and output; the defaults are the command's."""

    entrypoint: tuple[str, ...] | None = None
    """ENTRYPOINT of the result; as with `docker run`, CMD goes unless it is given too."""
    cmd: tuple[str, ...] | None = None
    labels: tuple[str, ...] = ()
    """`KEY=VALUE` sets a label, `KEY-` removes it."""
    env: tuple[str, ...] = ()
    """`NAME=VALUE` sets a variable, `NAME-` removes it."""
    workdir: str | None = None
    expose: tuple[str, ...] = ()
    """More ports: `8080`, `53/udp`, `7000-7009`."""
    healthcheck: bool = True
    """Whether HEALTHCHECK stays."""
    keep: tuple[str, ...] = ()
    """Globs of paths that stay; a kept file brings its closure."""
    drop: tuple[str, ...] = ()
    """Globs of paths that go although something needs them."""
    keep_dlopen: Likelihood = Likelihood.LIKELY
    """How likely it must be that something is opened by name for it to stay."""
    level: Level = Level.BALANCED
    """How much stays of the libraries of a language whose imports are followed."""
    user: str | None = None
    """`NAME`, `UID`, either with `:GROUP`, or `keep`."""
    writable: tuple[str, ...] = ()
    """Paths that the user of the result shall be able to write to."""
    keep_setuid: bool = False
    """Whether setuid and setgid bits stay on files."""
    keep_shadow: bool = False
    """Whether /etc/shadow and /etc/gshadow stay."""
    arbitrary_uid: bool = False
    """Whether the image shall run under any number with group 0."""
    platform: Platform | None = None
    pull: Pull = Pull.MISSING
    require_digest: bool = False
    """Whether a source whose tag could move is refused."""
    tls_verify: bool = True
    """Whether registries must prove who they are."""
    force: bool = False
    strict: bool = False
    """Whether a gap is an error."""
    compression: Compression = Compression.GZIP
    created: str | None = None
    """RFC 3339 time of the result; None carries the source's over."""
    progress: Progress = field(default=SILENT, repr=False)


@dataclass(frozen=True, slots=True)
class _Source:
    """An image, opened and merged, with the configuration that its result shall have."""

    image: Image
    tree: FileTree
    config: ImageConfig


def plan(source: str, options: Options = Options()) -> Result:
    """What minifying `source` would write; nothing is. Raises as `minify` does."""
    opened = _open(source, options)
    return Result(opened.image, _decide(opened, options))


def explain(source: str, options: Options = Options()) -> Explanation:
    """What `plan` gives, with what it was made of: `report.why` answers questions from it."""
    return _explained(_open(source, options), options)


def minify(source: str, output: str, options: Options = Options()) -> Result:
    """Minifies the image that `source` names and publishes it as `output`.

    Both are references as on the command line. Raises UsageError, ImageError, ClosureError (a hard
    need is not met), OutputError or CheckError; then nothing has been published.
    """
    target = output_reference(output, options)
    return published(open_image(Reference.parse(source), open_options(options)), target, options)


def slim_image(image: Image, name: str, options: Options) -> Result:
    """What is made of an opened image, checked and not published yet; `name` is for messages."""
    made = _built(image, name, options)
    _check(made, options)
    return made


def published(image: Image, target: Reference, options: Options) -> Result:
    """What is made of an opened image, checked, then published at `target`."""
    made = _built(image, str(target), options)
    assert made.built is not None
    how = replace(write_options(options), check=lambda: _check(made, options))
    written = write_image(made.built, target, how)
    digest = written.manifest_digest
    return replace(made, reference=written.reference, manifest_digest=digest)


def _built(image: Image, name: str, options: Options) -> Result:
    opened = _merged(image, options)
    decided = _decide(opened, options)
    how = BuildOptions(name, image.annotations, options.compression, options.progress)
    built = build_image(decided, opened.tree, how)
    image.check_unchanged()
    return Result(image, decided, built)


def output_reference(output: str, options: Options, *, is_index: bool = False) -> Reference:
    """`-o`, which can be written as far as that is known before the work.

    UsageError for what is no output, for several images or at all; OutputError if it is none now.
    """
    target = Reference.parse(output)
    if options.compression is Compression.ZSTD and target.transport not in _TAKE_ZSTD:
        raise UsageError(
            f"--compression zstd: only oci: and docker:// keep zstd, not {target}: docker 20.10"
            " cannot load it"
        )
    check = check_index_output if is_index else check_output
    check(target, write_options(options))
    return target


def open_options(options: Options) -> OpenOptions:
    """How the source is opened; UsageError for edits that cannot be parsed, before it is."""
    _edits(options)
    return OpenOptions(
        options.platform,
        options.pull,
        options.progress,
        options.require_digest,
        options.tls_verify,
    )


def write_options(options: Options) -> WriteOptions:
    """How the result is written."""
    return WriteOptions(options.force, options.progress, options.tls_verify)


def plan_image(image: Image, options: Options = Options()) -> Plan:
    """What minifying an opened image would write."""
    return _decide(_merged(image, options), options)


def explain_image(image: Image, options: Options = Options()) -> Explanation:
    """What `explain` gives, for an opened image."""
    return _explained(_merged(image, options), options)


def _explained(source: _Source, options: Options) -> Explanation:
    decided = Result(source.image, _decide(source, options))
    return Explanation(decided, source.tree, read_packages(source.tree), options.drop)


def _open(source: str, options: Options) -> _Source:
    return _merged(open_image(Reference.parse(source), open_options(options)), options)


def _merged(image: Image, options: Options) -> _Source:
    _rules()
    tree = FileTree.from_layers(image.layers, options.progress, Room())
    return _Source(image, tree, edited(image.config, _edits(options)))


def _edits(options: Options) -> Edits:
    """The changes of the configuration; UsageError for what cannot be parsed."""
    return Edits(
        edits.words("--entrypoint", options.entrypoint),
        edits.words("--cmd", options.cmd),
        edits.assignments("--label", options.labels),
        edits.assignments("--env", options.env),
        edits.workdir("--workdir", options.workdir),
        edits.ports("--expose", options.expose),
        options.healthcheck,
    )


class _Rules(NamedTuple):
    """What is known about kinds of files."""

    analyzers: Sequence[Analyzer]
    of_images: Sequence[ImageRule]
    complete: Callable[[Roots, Context, tuple[ImagePath, ...]], tuple[Roots, Context]]
    pruners: Sequence[Pruner]


def _rules() -> _Rules:
    # A third of all that is imported: the first layer arrives meanwhile.
    from minify.analyzers import ANALYZERS, IMAGE_RULES, PRUNERS  # noqa: PLC0415
    from minify.analyzers.programs import complete  # noqa: PLC0415

    return _Rules(ANALYZERS, IMAGE_RULES, complete, PRUNERS)


def _decide(source: _Source, options: Options) -> Plan:
    tree, config = source.tree, source.config
    roots, context = _roots(tree, config, options)
    findings = [*roots.findings, *_image_findings(context), *keep_findings(options.keep, tree)]
    is_decided = is_minified(source.image.config)
    if is_decided:
        # What the first run kept for reasons that only the fat image shows is not decided again.
        reason = Reason("minified", CONFIG, "the image is minified already")
        findings.append(Need("/", reason, whole_tree=True))
    with options.progress.step("following what the program needs", None):
        keep, levels, spared = _closure(findings, context, options, is_decided=is_decided)
    identity = _identity(source, keep, options)
    how = PlanOptions(options.created, options.keep_setuid, source.image.config)
    made = make_plan(tree, config, keep, identity, how)
    decided = replace(made, levels=levels, warnings=(*made.warnings, *spared))
    if options.strict and decided.gaps:
        raise CheckError(*_described_gaps(decided))
    return decided


def _closure(
    findings: Sequence[Finding], context: Context, options: Options, *, is_decided: bool
) -> tuple[KeepSet, tuple[LevelSize, ...], tuple[str, ...]]:
    """What stays: first with every library whole, then as far as their own analyzers know more.

    What `is_decided` stays as it is. The sentences say of what they do not know more, and why.
    """
    dropped = Dropped(options.drop, context.tree)
    analyzers = _rules().analyzers
    whole = solve(findings, analyzers, context, dropped, options.keep_dlopen)
    if whole.missing:
        return whole, (), ()
    if is_decided:
        # Nothing is left to go, but what is followed and what is not is told as the first time.
        known = Pruning.of(prune(whole, context, Level.BALANCED) for prune in _rules().pruners)
        findings = (*findings, *(one for one in known.findings if isinstance(one, Gap)))
        context = replace(context, followed=known.scripts, idle=known.idle)
        return solve(findings, analyzers, context, dropped, options.keep_dlopen), (), ()
    prunings = {
        level: Pruning.of(prune(whole, context, level) for prune in _rules().pruners)
        for level in (Level.BALANCED, Level.TIGHT)
    }
    # The user's own choice, and where that is all of it, what the default would give.
    level = Level.BALANCED if options.level is Level.SAFE else options.level
    pruning = prunings[level]
    # Who asks for all has nothing to wonder at.
    spared = pruning.spared if options.level is not Level.SAFE else ()
    if not pruning.directories:
        return whole, (), spared
    ending = replace(
        context, pruned=pruning.directories, followed=pruning.scripts, idle=pruning.idle
    )
    every = (*findings, *pruning.findings)
    keep = solve(every, analyzers, ending, dropped, options.keep_dlopen)
    keeps = {Level.SAFE: whole, level: keep}
    sizes = level_sizes(context.tree, keeps, prunings, options.level)
    return keeps[options.level], sizes, spared


def _roots(tree: FileTree, config: ImageConfig, options: Options) -> tuple[Roots, Context]:
    packages = read_packages(tree)
    may_be_idle = bool(options.keep) or is_minified(config)
    context = Context.of(tree, config, packages)
    roots = find_roots(context, may_be_idle=may_be_idle)
    return _rules().complete(roots, context, tuple(kept_programs(options.keep, context)))


def _image_findings(context: Context) -> Iterable[Finding]:
    return (finding for rule in _rules().of_images for finding in rule(context))


def _identity(source: _Source, keep: KeepSet, options: Options) -> Identity:
    wishes = Wishes(options.user, options.writable, options.keep_shadow, options.arbitrary_uid)
    config, tree = source.config, source.tree
    if keep.missing:
        # The plan will refuse; whoever cannot run the program is beside the point.
        return unchanged_user(Wishes(), config, keep, tree)
    if is_minified(source.image.config) and options.user is None:
        return unchanged_user(wishes, config, keep, tree)
    return choose_user(wishes, config, keep, tree)


def _described_gaps(decided: Plan) -> Iterable[str]:
    number = len(decided.gaps)
    yield f"--strict: {number:,} gap{'s' if number > 1 else ''}: what may be missing or not work"
    yield from (f"  {gap.reason.detail}; {gap.hint}".rstrip("; ") for gap in decided.gaps)


def _check(made: Result, options: Options) -> None:
    """Reads the built image again from its own bytes."""
    assert made.built is not None
    tree = check_content(made.built, made.plan, options.progress)
    roots, context = _roots(tree, made.built.config, options)
    check_closure(roots.findings, _rules().analyzers, context, made.plan)
