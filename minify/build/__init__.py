"""From a plan to an image, byte for byte the same everywhere.

    image = build_image(plan, tree, BuildOptions("slim:latest", compression=Compression.ZSTD))

One layer, its members sorted, with the source's headers; a config; both in temporary files. Nothing
of the host gets in: no clock, no umask, no locale, no order of a file system.
"""

from minify.build.image import BuildOptions, build_image

__all__ = ["BuildOptions", "build_image"]
