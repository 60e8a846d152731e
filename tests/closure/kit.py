"""A whole decision in a few words: an image in, every kept path with its reasons out."""

from __future__ import annotations

from filetree.kit import Members, image_of

from minify.filetree import ImagePath
from minify.image.jsontext import Json
from minify.pipeline import Options, plan_image
from minify.planning import Plan


def planned(run: dict[str, Json], *layers: Members, options: Options | None = None) -> Plan:
    """The plan for an image with `run` as its configuration."""
    return plan_image(image_of(run, *layers), options or Options())


def reasons(plan: Plan, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Each kept path with its grade (`!` is hard) and rules, but those of the rules `without`."""
    shown: dict[str, str] = {}
    for path, kept in plan.keep.kept.items():
        rules = sorted({reason.rule for reason in kept.reasons} - set(without))
        if rules:
            shown[path] = f"{'!' if kept.grade else ''}{' '.join(rules)}"
    return shown


def left_out(plan: Plan) -> dict[str, str]:
    """Each path that is left out as too unlikely: how likely it is, and by which rules."""
    return {
        item.path: " ".join(
            [item.likelihood.name.lower(), *sorted({reason.rule for reason in item.reasons})]
        )
        for item in plan.keep.left_out
    }


def gaps(plan: Plan) -> list[str]:
    """What the plan says could not be followed."""
    reasons = (gap.reason for gap in plan.gaps)
    return [f"{reason.by}: {reason.detail.removeprefix(f'{reason.by}: ')}" for reason in reasons]


def written(plan: Plan) -> dict[str, str]:
    """Each path of the result and what was changed on purpose."""
    return {item.entry.path: item.change for item in plan.entries}


def why(plan: Plan, path: str) -> list[str]:
    """The chain from `path` to its root."""
    return [f"{at}: {reason.rule}" for at, reason in plan.keep.why(ImagePath(path))]
