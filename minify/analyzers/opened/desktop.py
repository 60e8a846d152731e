"""What libraries for pictures, sound and windows open by themselves."""

from __future__ import annotations

from minify.analyzers.opened import configured
from minify.analyzers.opened.rule import Rule, library, module
from minify.closure import Likelihood

CERTAIN, LIKELY, GUESSED = reversed(Likelihood)

_PICTURES = (
    Rule(
        "fonts.configuration",
        library("fontconfig"),
        CERTAIN,
        "fonts are found as it is configured",
        "0.2 to 0.3 MB",
        keeps=("/etc/fonts/", "/usr/share/fontconfig/", "/var/cache/fontconfig/"),
    ),
    Rule(
        "fonts",
        library("fontconfig"),
        LIKELY,
        "text is drawn with what fonts there are",
        "2.7 to 18.5 MB",
        keeps=("/usr/share/fonts/", "/usr/local/share/fonts/", "/usr/share/X11/fonts/"),
    ),
    Rule(
        "fonts.modules",
        module(*(rf"{name}(?:\.[\w-]{{1,80}})?" for name in ("_imagingft", "ft2font"))),
        LIKELY,
        "Pillow and matplotlib look for fonts by themselves",
        "2.9 MB",
        keeps=(
            *("/usr/share/fonts/", "/usr/local/share/fonts/", "/usr/share/X11/fonts/"),
            *("/root/.fonts/", "/root/.local/share/fonts/"),
            *("/home/*/.fonts/", "/home/*/.local/share/fonts/"),
        ),
    ),
    Rule(
        "pixbuf",
        library(r"gdk_pixbuf-2\.0"),
        CERTAIN,
        "formats are modules that its cache names",
        "not measured",
        keeps=("@/gdk-pixbuf-2.0/*/loaders.cache",),
        finds=configured.quoted_paths,
    ),
    Rule(
        "magick.configuration",
        library(r"Magick(Core|\+\+)-[\w.]*"),
        CERTAIN,
        "formats, colours and limits are configured",
        "0.3 MB",
        keeps=(
            "/etc/ImageMagick-*/",
            "/usr/share/ImageMagick-*/",
            "@/ImageMagick-*/config*/",
        ),
    ),
    Rule(
        "magick.coders",
        library("MagickCore-[\\w.]*", "GraphicsMagick-[\\w.]*"),
        LIKELY,
        "each format is a module",
        "3.5 MB, and what the modules need",
        keeps=(
            "@/ImageMagick-*/modules*/",
            "@/GraphicsMagick-*/modules*/",
            "@/GraphicsMagick-*/config/",
            "/usr/share/GraphicsMagick-*/",
        ),
    ),
    Rule(
        "graphviz",
        library("gvc"),
        CERTAIN,
        "layouts and formats are plug-ins that config6a names",
        "1.2 MB, and what the plug-ins need",
        keeps=("@/graphviz/config*", "@/graphviz/libgvplugin_*"),
    ),
    Rule(
        "vips",
        library("vips"),
        LIKELY,
        "some formats are modules",
        "not measured",
        keeps=("@/vips-modules-*/",),
    ),
    Rule(
        "heif",
        library("heif"),
        LIKELY,
        "codecs are plug-ins",
        "not measured",
        keeps=("@/libheif/",),
    ),
    Rule(
        "gegl",
        library(r"gegl-[\d.]*", r"babl-[\d.]*"),
        LIKELY,
        "operations are modules",
        "not measured",
        keeps=("@/gegl-*/", "@/babl-*/"),
    ),
)

_SOUND = (
    Rule(
        "alsa",
        library("asound"),
        LIKELY,
        "devices are configured",
        "10 KB",
        keeps=(
            "/usr/share/alsa/alsa.conf",
            "/usr/share/alsa/alsa.conf.d/",
            "/etc/asound.conf",
            "/etc/alsa/",
        ),
    ),
    Rule(
        "alsa.plugins",
        library("asound"),
        GUESSED,
        "devices may be plug-ins",
        "0.2 MB",
        keeps=("@/alsa-lib/", "/usr/share/alsa/"),
    ),
    Rule(
        "gstreamer",
        library(r"gstreamer-1\.0"),
        LIKELY,
        "all that it does is done by plug-ins",
        "9.7 MB, and what the plug-ins need",
        keeps=(
            "@/gstreamer-1.0/*.so",
            "@/gstreamer1.0/gstreamer-1.0/",
            "/usr/libexec/gstreamer-1.0/",
        ),
    ),
    Rule(
        "ladspa",
        library(r"avfilter"),
        GUESSED,
        "filters may be plug-ins",
        "not measured",
        keeps=("/usr/lib/ladspa/", "@/frei0r-1/"),
    ),
)

_WINDOWS = (
    Rule(
        "gio",
        library(r"gio-2\.0"),
        LIKELY,
        "networks, TLS and settings are modules",
        "0.1 to 0.3 MB",
        keeps=("@/gio/modules/", "/usr/share/glib-2.0/schemas/gschemas.compiled"),
    ),
    Rule(
        "gtk",
        library(r"gtk-3", r"gtk-4", r"gtk-x11-2\.0"),
        LIKELY,
        "input methods, themes and settings are files",
        "0.8 to 2.7 MB",
        keeps=(
            "/etc/gtk-[234].0/",
            "@/gtk-[234].0/*/immodules.cache",
            "@/gtk-[234].0/*/immodules/",
            "@/gtk-4.0/*/media/",
            "/usr/share/gtk-[234].0/",
            "/usr/share/themes/Default/",
            "/usr/share/icons/hicolor/index.theme",
            "/usr/share/icons/hicolor/icon-theme.cache",
        ),
    ),
    Rule(
        "gtk.icons",
        library(r"gtk-3", r"gtk-4", r"gtk-x11-2\.0"),
        GUESSED,
        "windows may show any icon, and documents may be printed",
        "17.7 MB",
        keeps=("/usr/share/icons/", "@/gtk-[34].0/*/printbackends/"),
    ),
    *(
        Rule(
            f"qt.{name}",
            library(f"Qt[56]{name}"),
            LIKELY,
            f"{what} are plug-ins",
            cost,
            keeps=tuple(f"@/{qt}/plugins/{kind}/" for qt in ("qt5", "qt6") for kind in kinds),
        )
        for name, what, cost, kinds in (
            (
                *("Gui", "platforms, formats and themes", "3.5 MB"),
                (
                    *("platforms", "imageformats", "iconengines", "platformthemes"),
                    *("xcbglintegrations", "platforminputcontexts", "egldeviceintegrations"),
                    *("wayland-shell-integration", "wayland-graphics-integration-client"),
                ),
            ),
            ("Sql", "databases", "not measured", ("sqldrivers",)),
            ("Network", "networks and TLS", "1 MB", ("bearer", "tls", "networkinformation")),
            ("PrintSupport", "printers", "0.1 MB", ("printsupport",)),
            ("Multimedia", "media", "not measured", ("mediaservice", "audio", "multimedia")),
        )
    ),
    Rule(
        "x11.locale",
        library("X11"),
        LIKELY,
        "keys and letters depend on the locale",
        "1.2 MB",
        keeps=("/usr/share/X11/locale/", "/usr/share/X11/XErrorDB"),
    ),
    Rule(
        "xkb",
        library("xkbcommon", "xkbfile"),
        LIKELY,
        "keyboards have layouts",
        "3.3 MB",
        keeps=("/usr/share/X11/xkb/",),
    ),
    Rule(
        "gl.vendor",
        library("GLX", "EGL", "GLdispatch"),
        GUESSED,
        "graphics are drawn by a vendor's library, with a driver for the hardware",
        "24.6 MB, and LLVM",
        keeps=(
            "/usr/share/glvnd/egl_vendor.d/",
            "@/libGLX_mesa.so.0",
            "@/libEGL_mesa.so.0",
            "@/dri/",
        ),
    ),
    Rule(
        "va.drivers",
        library("va", "vdpau"),
        GUESSED,
        "films are decoded by a driver for the hardware",
        "160 MB with LLVM, for ffmpeg",
        keeps=("@/dri/*_drv_video.so", "@/vdpau/", "/etc/vdpau_wrapper.cfg"),
    ),
    Rule(
        "vulkan.drivers",
        library("vulkan"),
        GUESSED,
        "graphics are drawn by a driver for the hardware",
        "not measured",
        keeps=("/usr/share/vulkan/icd.d/", "/etc/vulkan/", "@/libvulkan_*.so"),
    ),
)

RULES = (*_PICTURES, *_SOUND, *_WINDOWS)
