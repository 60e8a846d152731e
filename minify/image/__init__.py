"""What an image is: a reference to it, its digest, platform, manifest, config and layers.

    image = transports.open_image(Reference.parse("docker-archive:app.tar"), …)
    image.config.entrypoint          # ("/usr/bin/app",)
    tar = image.layers[0].open()     # the plain tar, hashed while it is read
    tar.verify()                     # ImageError if a digest does not match

Values here are frozen, and nothing in this package knows where an image comes from: a medium
builds an `Image` out of blobs (`blob.Blob`), and the rest of minify sees only that.
"""

from minify.image.config import ImageConfig
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.layer import Layer
from minify.image.platform import Platform
from minify.image.reference import Reference, Transport

__all__ = ["Digest", "Image", "ImageConfig", "Layer", "Platform", "Reference", "Transport"]
