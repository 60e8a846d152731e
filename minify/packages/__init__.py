"""Who owns a file: the package databases of an image, read without their tools.

    packages = read_packages(tree)
    packages.owners("/usr/sbin/nginx")          # frozenset({"nginx"})
    packages.siblings({"nginx"})                # … and nginx-common: built from the same source

An image may have several databases, or none; then `Packages` is empty and false.
"""

from minify.packages.database import Package, Packages, read_packages

__all__ = ["Package", "Packages", "read_packages"]
