"""What libraries for data, documents and other processors open by themselves."""

from __future__ import annotations

from minify.analyzers.opened import configured
from minify.analyzers.opened.rule import Rule, library
from minify.closure import Likelihood

CERTAIN, LIKELY, GUESSED = reversed(Likelihood)

_DATA = (
    Rule(
        "terminfo",
        library("tinfow?", "ncursesw?", "tic"),
        CERTAIN,
        "what a terminal can do is read by TERM, of which these are common",
        "50 KB",
        keeps=tuple(
            f"{place}/{name}"
            for place in ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo")
            for name in (
                *("d/dumb", "l/linux", "v/vt100", "v/vt220", "a/ansi"),
                *("x/xterm*", "s/screen*", "t/tmux*", "r/rxvt*"),
            )
        ),
        finds=configured.terminals,
    ),
    Rule(
        "terminfo.all",
        library("tinfow?", "ncursesw?", "tic"),
        GUESSED,
        "a user may have any terminal",
        "20 KB, more with ncurses-term",
        keeps=("/etc/terminfo/", "/lib/terminfo/", "/usr/share/terminfo/", "/usr/share/tabset/"),
    ),
    Rule(
        "magic",
        library("magic"),
        CERTAIN,
        "kinds of files are told by its table",
        "7.9 MB",
        keeps=(
            "/etc/magic*",
            "/usr/share/misc/magic*",
            "/usr/lib/file/magic.mgc",
            "/usr/share/file/magic*",
        ),
    ),
    Rule(
        "mime",
        library(r"gio-2\.0", "xdgmime", "Qt[56]Core"),
        LIKELY,
        "kinds of files have names",
        "0.3 MB",
        keeps=(
            "/usr/share/mime/mime.cache",
            "/usr/share/mime/aliases",
            "/usr/share/mime/generic-icons",
            "/usr/share/mime/globs*",
            "/usr/share/mime/icons",
            "/usr/share/mime/magic",
            "/usr/share/mime/subclasses",
            "/usr/share/mime/treemagic",
            "/usr/share/mime/types",
            "/usr/share/applications/mimeinfo.cache",
        ),
    ),
    Rule(
        "icu",
        library("icuuc", "icudata"),
        CERTAIN,
        "data of languages is read where the library does not have it",
        "none on Debian, where it is a library",
        keeps=("/usr/share/icu/*/icudt*.dat", "@/icu/*/icudt*.dat"),
    ),
    Rule(
        "xml",
        library("xml2"),
        LIKELY,
        "documents are looked up in a catalogue",
        "not measured",
        keeps=("/etc/xml/",),
    ),
    Rule(
        "proj",
        library("proj"),
        CERTAIN,
        "projections are in a database",
        "not measured",
        keeps=("/usr/share/proj/",),
    ),
    Rule(
        "gdal",
        library("gdal"),
        CERTAIN,
        "tables of formats and of coordinates are read",
        "not measured",
        keeps=("/usr/share/gdal/", "@/gdalplugins/"),
    ),
    Rule(
        "tesseract",
        library("tesseract"),
        CERTAIN,
        "what letters look like is in a file a language",
        "not measured",
        keeps=("/usr/share/tesseract-ocr/*/tessdata/", "/usr/share/tessdata/"),
    ),
    Rule(
        "tcl",
        library(r"tcl[\d.]*"),
        CERTAIN,
        "it begins with init.tcl",
        "not measured",
        keeps=("/usr/share/tcltk/tcl[0-9]*/", "/usr/lib/tcl[0-9]*/"),
    ),
    Rule(
        "ghostscript",
        library("gs"),
        CERTAIN,
        "the language is in files, and so are its fonts",
        "2.7 MB",
        keeps=(
            "/usr/share/ghostscript/",
            "/var/lib/ghostscript/",
            "/usr/share/color/icc/ghostscript/",
        ),
    ),
    Rule(
        "paper",
        library("paper"),
        CERTAIN,
        "the size of paper is configured",
        "3 bytes",
        keeps=("/etc/papersize", "/etc/libpaper.d/"),
    ),
    Rule(
        "poppler",
        library("poppler"),
        LIKELY,
        "documents in Chinese, Japanese and Korean name tables",
        "12.3 MB",
        keeps=("/usr/share/poppler/",),
    ),
    Rule(
        "odbc",
        library("odbc", "iodbc", "odbcinst"),
        CERTAIN,
        "sources of data and their drivers are configured",
        "not measured",
        keeps=("/etc/odbc.ini", "/etc/odbcinst.ini"),
        finds=configured.odbc_drivers,
    ),
    Rule(
        "mysql",
        library("mariadb", "mysqlclient"),
        LIKELY,
        "ways to authenticate are plug-ins, and options are configured",
        "not measured",
        keeps=(
            "@/libmariadb3/plugin/",
            "@/mysql/plugin/",
            "@/mariadb/plugin/",
            "/etc/my.cnf",
            "/etc/mysql/",
        ),
    ),
    Rule(
        "openmpi",
        library("mpi", "open-pal", "open-rte"),
        CERTAIN,
        "its parts are modules",
        "not measured",
        keeps=("@/openmpi/lib/openmpi*/", "@/openmpi*/", "/usr/share/openmpi/", "/etc/openmpi/"),
    ),
    Rule(
        "hwloc",
        library("hwloc"),
        LIKELY,
        "kinds of hardware are plug-ins",
        "not measured",
        keeps=("@/hwloc/*.so",),
    ),
    Rule(
        "ucx",
        library("ucs", "uct", "ucm"),
        LIKELY,
        "transports are modules",
        "not measured",
        keeps=("@/ucx/",),
    ),
)

_PROCESSORS = (
    Rule(
        "cuda.cudnn",
        library("cudnn"),
        CERTAIN,
        "its parts are opened by name",
        "not measured",
        keeps=("@/libcudnn_*.so*",),
    ),
    Rule(
        "cuda.nvrtc",
        library("nvrtc"),
        CERTAIN,
        "it compiles with its builtins",
        "not measured",
        keeps=("@/libnvrtc-builtins*.so*",),
    ),
    Rule(
        "cuda.cublas",
        library("cublas", "cublasLt"),
        CERTAIN,
        "one opens the other",
        "not measured",
        keeps=("@/libcublas.so*", "@/libcublasLt.so*"),
    ),
    Rule(
        "cuda.tensorrt",
        library("nvinfer"),
        LIKELY,
        "engines are built with its resources",
        "not measured",
        keeps=("@/libnvinfer_builder_resource*.so*", "@/libnvinfer_plugin*.so*"),
    ),
    Rule(
        "cuda.nccl",
        library("nccl"),
        LIKELY,
        "networks are plug-ins",
        "not measured",
        keeps=("@/libnccl-net*.so*",),
    ),
    Rule(
        "mkl",
        library("mkl_rt", "mkl_core"),
        CERTAIN,
        "kernels are chosen by the processor",
        "not measured",
        keeps=(
            "@/libmkl_core.so*",
            "@/libmkl_def.so*",
            "@/libmkl_avx*.so*",
            "@/libmkl_mc*.so*",
            "@/libmkl_vml_*.so*",
            "@/libmkl_intel_lp64.so*",
            "@/libmkl_intel_thread.so*",
            "@/libmkl_gnu_thread.so*",
            "@/libmkl_sequential.so*",
            "@/libiomp5.so",
        ),
    ),
    Rule(
        "opencl",
        library("OpenCL"),
        CERTAIN,
        "drivers are those that its files name",
        "not measured",
        keeps=("/etc/OpenCL/vendors/",),
        finds=configured.vendor_libraries,
    ),
)

RULES = (*_DATA, *_PROCESSORS)
