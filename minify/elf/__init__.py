"""How ld.so would load a binary: read, never run.

`reader` reads an ELF file into a frozen record, `search` with `glibc` and `musl` says where a name
is looked for, `ldconfig` and `interpreter` read what else decides that, and `Loader` puts it
together for one tree:

    loader = Loader(tree, env)
    links = loader.load(tree.resolve("/usr/bin/curl").entry)
    links.interpreter                # Resolution of /lib64/ld-linux-x86-64.so.2
    for one in links.objects:        # in load order
        one.real_path, one.how       # "/usr/lib/…/libz.so.1.3", "DT_NEEDED libz.so.1, ld.so.cache"
        one.resolution.hops          # the links that were crossed
    for one in links.missing:        # what ld.so would end with an error for
        one.name, one.by, one.looked, one.hint
    for one in links.unmet:          # symbol versions that what was found does not define
        one.need.version, one.by, one.found, one.hint
    links.consulted                  # ld.so.cache and the like, which it reads too

What a processor decides is not decided here: a library in glibc-hwcaps is among the objects beside
the one that other processors get, told apart by `level`.
"""

from minify.elf.elffile import DlopenNote, ElfError, ElfFile, ElfKind, Priority, VersionNeed
from minify.elf.linkmap import LinkMap, LoadedObject, Missing, UnmetVersion
from minify.elf.loader import Loader
from minify.elf.machine import Machine, machine_of

__all__ = [
    "DlopenNote",
    "ElfError",
    "ElfFile",
    "ElfKind",
    "LinkMap",
    "LoadedObject",
    "Loader",
    "Machine",
    "Missing",
    "Priority",
    "UnmetVersion",
    "VersionNeed",
    "machine_of",
]
