"""`python -m images [NAME…]` builds the images and prints where their archives lie."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from images.build import build, build_foreign, build_musl_arm
from images.recipes import RECIPES


def main() -> None:
    names = sys.argv[1:] or list(RECIPES)
    # mmdebstrap mostly waits for dpkg: two at a time keep two cores busy.
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, image in zip(names, pool.map(build, names), strict=True):
            sys.stdout.write(f"{name}\t{image.archive}\n")
        if not sys.argv[1:]:
            sys.stdout.write(f"curl-arm64\t{build_foreign().archive}\n")
            sys.stdout.write(f"musl-arm\t{build_musl_arm().archive}\n")


if __name__ == "__main__":
    main()
