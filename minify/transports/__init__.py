"""Where images come from and where they go to: one module per medium, both directions.

    reference = Reference.parse("docker-archive:app.tar:app:1")
    image = open_image(reference, OpenOptions(platform=Platform.parse("linux/arm64")))
    …
    check_output(target, WriteOptions())     # early, before the work
    written = write_image(slim, target, WriteOptions(force=True))

Reading ends in an `Image` whose layers' blobs are regions of a host file; nothing is unpacked and
nothing is executed. All media write the same blobs, and each publishes in one step: a rename, the
index of a layout, a tag. `open_images` and `write_index` do the same for all platforms of an image
index (`source_index`). `TRANSPORTS` lists the media; the modules that they share are

- `location`, `names`, `choice`: what a reference selects; `selection`: the same in an index
- `archive`: an outer tar, read strictly; `dialects`: one written for docker and OCI tools alike
- `layout`, `storing`: an OCI layout in any place, read and written
- `assembly`: the checks that make an `Image` of what was found; `publish`: whole files or none
"""

from minify.transports.options import OpenOptions, Pull, WriteOptions, Written, WrittenIndex
from minify.transports.source_index import ImageIndex, PlatformImage, SourceImage, SourceIndex
from minify.transports.table import (
    TRANSPORTS,
    check_index_output,
    check_output,
    holds_index,
    open_image,
    open_images,
    write_image,
    write_index,
)

__all__ = [
    "TRANSPORTS",
    "ImageIndex",
    "OpenOptions",
    "PlatformImage",
    "Pull",
    "SourceImage",
    "SourceIndex",
    "WriteOptions",
    "Written",
    "WrittenIndex",
    "check_index_output",
    "check_output",
    "holds_index",
    "open_image",
    "open_images",
    "write_image",
    "write_index",
]
