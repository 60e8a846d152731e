"""One filesystem out of many layers.

`tarindex` reads a layer's tar strictly into entries, `overlay` lays the layers over each other,
`links` resolves a path as the kernel would, and `FileTree` is what comes of it: all names of the
image and, on demand, their contents.

    tree = FileTree.from_layers(image.layers)
    found = tree.resolve("/bin/sh")
    found.hops, found.entry      # the links /bin and /bin/sh → dash, and the file

Nothing here opens a path of the host, and nothing is unpacked.
"""

from minify.filetree.entry import Entry, Kind
from minify.filetree.links import Resolution
from minify.filetree.path import ImagePath, image_path
from minify.filetree.tree import FileTree

__all__ = ["Entry", "FileTree", "ImagePath", "Kind", "Resolution", "image_path"]
