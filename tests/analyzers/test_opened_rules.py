"""Each row of the table, alone: what shows it, and the file that it keeps or leaves out."""

from __future__ import annotations

import pytest
from closure.kit import left_out, planned, reasons
from filetree.kit import Member, Members, file

from analyzers.kit import calling, compiled, libc
from minify.analyzers.opened import RULES
from minify.closure import Likelihood
from minify.pipeline import Options

_LIB = "usr/lib/x86_64-linux-gnu"

# A rule and its likelihood; what shows it: functions that /app calls, a library's or a program's
# name, a text after `=`; what it keeps, `@` for the libraries' directory; what else there is.
_ROWS = """
    libc.nss                certain  getaddrinfo          /etc/services
    libc.nss                certain  getpwnam             @/libnss_myhost.so.2
    libc.nss                certain  getpwnam             @/libnss_compat.so.2
    libc.libgcc             certain  pthread_cancel       @/libgcc_s.so.1
    libc.libgcc             certain  backtrace            @/libgcc_s.so.1
    libc.locale             certain  setlocale            /usr/share/locale/locale.alias
    libc.locale             certain  newlocale            /usr/lib/locale/C.utf8/LC_CTYPE
    libc.locale             certain  setlocale            /usr/lib/locale/de_DE.utf8/LC_TIME
    libc.locale             certain  setlocale            /usr/lib/locale/locale-archive
    libc.locales            likely   setlocale            /usr/lib/locale/fr_FR.utf8/LC_TIME
    libc.messages           likely   dcgettext            /usr/share/locale/de/LC_MESSAGES/app.mo
    libc.shell              likely   system               /bin/sh
    shell.home              likely   bash                 /root/.bashrc
    libc.timezone           certain  localtime            /etc/localtime
    libc.timezone           certain  localtime            /usr/share/zoneinfo/Europe/Rome
    libc.timezones          likely   tzset                /usr/share/zoneinfo/Asia/Tokyo
    libc.gconv              certain  mbstowcs             @/gconv/gconv-modules.cache
    libc.gconv              certain  iconv_open           @/gconv/gconv-modules.cache
    libc.gconv-static       certain  =gconv-modules       @/gconv/gconv-modules.cache
    libc.gconv-tool         likely   iconv                @/gconv/SJIS.so
    libc.gconv-tool         likely   iconv.so             @/gconv/SJIS.so
    libc.gconv-all          guessed  iconv_open           @/gconv/SJIS.so
    tls                     certain  libssl.so.3          /etc/ssl/certs/a.0
    tls                     certain  libgnutls.so.30      /etc/gnutls/config
    tls                     certain  libcrypto-0a1b2c3d.so.3  /usr/lib/ssl/openssl.cnf
    tls.configured          certain  libcrypto.so.3       @/ossl-modules/named.so
    tls.configured          certain  libcrypto.so.3       @/engines-3/named.so
    tls.configured          certain  libcrypto.so.3       /opt/provider.so
    tls.static              likely   =OPENSSL_CONF        /usr/local/ssl/openssl.cnf
    tls.provider            likely   OSSL_PROVIDER_load   @/ossl-modules/legacy.so
    tls.modules             guessed  libcrypto.so.3       @/engines-3/padlock.so
    nss3.modules            certain  libnss3.so           @/nss/libsoftokn3.so
    nss3.modules            certain  libnss3.so           @/nss/libfreebl3.chk
    p11-kit                 certain  libp11-kit.so.0      @/pkcs11/trust.so
    sasl                    likely   sasl_client_init     @/sasl2/libplain.so
    sasl.modules            guessed  libsasl2.so.2        @/sasl2/libplain.so
    kerberos                certain  libkrb5.so.3         /etc/krb5.conf
    kerberos                certain  libgssapi_krb5.so.2  /etc/gss/mech.d/a.conf
    kerberos.plugins        likely   krb5_init_context    @/krb5/plugins/preauth/spake.so
    pam.motd                likely   pam_motd.so          /etc/update-motd.d/10-x
    pam.sessions            likely   pam_open_session     /bin/ash
    pam.sessions            likely   pam_open_session     /home/alice/.profile
    kerberos.plugins        guessed  libkrb5.so.3         @/krb5/plugins/preauth/spake.so
    pam                     certain  pam_start            /etc/pam.d/app
    pam                     certain  pam_start            @/security/pam_unix.so
    pam                     likely   libpam.so.0          /etc/pam.d/app
    pam                     likely   libpam.so.0          /etc/pam.d/common
    pam                     likely   libpam.so.0          @/security/pam_unix.so
    pam                     likely   libpam.so.0          @/security/pam_deny.so
    pam.helpers             likely   pam_unix.so          /usr/sbin/unix_chkpwd
    ldap                    certain  libldap-2.5.so.0     /etc/ldap/ldap.conf
    rdma                    likely   libibverbs.so.1      @/libibverbs/libmlx5.so
    xtables                 certain  libxtables.so.12     @/xtables/libxt_tcp.so
    cryptsetup              likely   libcryptsetup.so.12  @/cryptsetup/token.so
    snmp                    likely   libnetsnmp.so.40     /usr/share/snmp/mibs/X.txt
    terminfo                certain  libtinfo.so.6        /lib/terminfo/x/xterm
    terminfo                certain  libncursesw.so.6     /usr/share/terminfo/f/fancy
    terminfo.all            guessed  libtinfo.so.6        /usr/share/terminfo/z/ztx
    awk.library             likely   gawk                 /usr/share/awk/inplace.awk
    awk.library             likely   gawk                 @/gawk/inplace.so
    magic                   certain  libmagic.so.1        /usr/lib/file/magic.mgc
    mime                    likely   libgio-2.0.so.0.7    /usr/share/mime/mime.cache
    icu                     certain  libicuuc.so.72.1     /usr/share/icu/72.1/icudt72l.dat
    xml                     likely   libxml2.so.2.9       /etc/xml/catalog
    proj                    certain  libproj.so.25        /usr/share/proj/proj.db
    gdal                    certain  libgdal.so.32        /usr/share/gdal/gcs.csv
    tesseract               certain  libtesseract.so.5    /usr/share/tesseract-ocr/5/tessdata/eng
    tcl                     certain  libtcl8.6.so         /usr/share/tcltk/tcl8.6/init.tcl
    ghostscript             certain  libgs.so.10          /usr/share/ghostscript/10/gs_init.ps
    paper                   certain  libpaper.so.1        /etc/papersize
    poppler                 likely   libpoppler.so.126    /usr/share/poppler/cMap/x
    odbc                    certain  libodbc.so.2         @/odbc/libpsql.so
    mysql                   likely   libmariadb.so.3      @/libmariadb3/plugin/sha2.so
    openmpi                 certain  libmpi.so.40         @/openmpi/lib/openmpi3/mca_a.so
    hwloc                   likely   libhwloc.so.15       @/hwloc/hwloc_pci.so
    ucx                     likely   libucs.so.0          @/ucx/libuct_ib.so.0
    cuda.cudnn              certain  libcudnn.so.8        @/libcudnn_ops_infer.so.8
    cuda.nvrtc              certain  libnvrtc.so.12       @/libnvrtc-builtins.so.12.1
    cuda.cublas             certain  libcublas.so.12      @/libcublasLt.so.12
    cuda.tensorrt           likely   libnvinfer.so.8      @/libnvinfer_builder_resource.so.8
    cuda.nccl               likely   libnccl.so.2         @/libnccl-net.so
    mkl                     certain  libmkl_rt.so.2       @/libmkl_avx512.so.2
    opencl                  certain  libOpenCL.so.1       @/libpocl.so.2
    fonts.configuration     certain  libfontconfig.so.1   /etc/fonts/fonts.conf
    fonts                   likely   libfontconfig.so.1   /usr/share/fonts/a.ttf
    fonts.modules           likely   _imagingft.cpython-311.so  /usr/share/fonts/a.ttf
    fonts.modules           likely   ft2font.abi3.so      /home/app/.local/share/fonts/a.ttf
    pixbuf                  certain  libgdk_pixbuf-2.0.so.0  @/gdk-pixbuf-2.0/2.10.0/loaders.cache
    pixbuf                  certain  libgdk_pixbuf-2.0.so.0  /opt/loader-svg.so
    magick.configuration    certain  libMagickCore-6.Q16.so.6  /etc/ImageMagick-6/policy.xml
    magick.coders           likely   libMagickCore-6.Q16.so.6  @/ImageMagick-6.9/modules-Q16/png.so
    graphviz                certain  libgvc.so.6          @/graphviz/libgvplugin_core.so.6
    vips                    likely   libvips.so.42        @/vips-modules-8.14/vips-heif.so
    heif                    likely   libheif.so.1         @/libheif/plugins/aom.so
    gegl                    likely   libgegl-0.4.so.0     @/gegl-0.4/png-load.so
    alsa                    likely   libasound.so.2       /usr/share/alsa/alsa.conf
    alsa.plugins            guessed  libasound.so.2       @/alsa-lib/jack.so
    gstreamer               likely   libgstreamer-1.0.so.0  @/gstreamer-1.0/libgstogg.so
    ladspa                  guessed  libavfilter.so.8     @/frei0r-1/blur.so
    gio                     likely   libgio-2.0.so.0      @/gio/modules/libgiognutls.so
    gtk                     likely   libgtk-3.so.0        @/gtk-3.0/3.0.0/immodules.cache
    gtk.icons               guessed  libgtk-3.so.0        /usr/share/icons/Adwaita/a.png
    qt.Gui                  likely   libQt5Gui.so.5.15    @/qt5/plugins/platforms/libqxcb.so
    qt.Sql                  likely   libQt5Sql.so.5       @/qt5/plugins/sqldrivers/libqsqlite.so
    qt.Network              likely   libQt6Network.so.6   @/qt6/plugins/tls/libqopenssl.so
    qt.PrintSupport         likely   libQt5PrintSupport.so.5  @/qt5/plugins/printsupport/libcups.so
    qt.Multimedia           likely   libQt6Multimedia.so.6  @/qt6/plugins/multimedia/libffmpeg.so
    x11.locale              likely   libX11.so.6          /usr/share/X11/locale/C/Compose
    xkb                     likely   libxkbcommon.so.0    /usr/share/X11/xkb/rules/evdev
    gl.vendor               guessed  libGLX.so.0          @/libGLX_mesa.so.0
    va.drivers              guessed  libva.so.2           @/dri/iHD_drv_video.so
    vulkan.drivers          guessed  libvulkan.so.1       /usr/share/vulkan/icd.d/radeon.json
"""
_LINES = [tuple(line.split()) for line in _ROWS.strip().splitlines()]

_CONFIGURATION: Members = [
    file("etc/passwd", "alice:x:1000:1000::/home/alice:/bin/ash\nwww:x:9:9::/x:/bin/nologin\n"),
    file("etc/nsswitch.conf", "hosts: files myhost [NOTFOUND=return] dns # x\n"),
    file("etc/pam.d/app", "@include common\nauth [success=1 default=ignore] pam_unix.so nullok\n"),
    file("etc/pam.d/common", "auth requisite pam_deny.so\n"),
    file(
        "etc/ssl/openssl.cnf",
        "openssl_conf = i\n[i]\nproviders = p\nengines = e\n[p]\nnamed = n\nother = o\n"
        "[n]\nactivate = 1\n[o]\nmodule = /opt/provider.so\n[e]\nnamed = f\n",
    ),
    file("usr/share/p11-kit/modules/trust.module", "module: trust.so\n"),
    file("etc/odbcinst.ini", "[PostgreSQL]\nDriver = libpsql.so\n"),
    file("etc/OpenCL/vendors/pocl.icd", "libpocl.so.2\n"),
    file(f"{_LIB}/gdk-pixbuf-2.0/2.10.0/loaders.cache", '# x\n"/opt/loader-svg.so"\n"svg" 6\n'),
]
_ENV = ["LANG=de_DE.UTF-8", "TZ=Europe/Rome", "TERM=fancy", "PATH=/usr/bin:/bin"]


def _trigger(shown: str) -> tuple[str, Members]:
    """The path of a file that shows it, and what the image has for that."""
    if shown.startswith("="):
        source = f'const char *t = "{shown[1:]}", *u = "libnss_"; int main() {{ return !t; }}'
        return "/app", [file("app", compiled(source, "-static"), mode=0o755)]
    if ".so" in shown:
        library = file(f"{_LIB}/{shown}", compiled("int f;", "-shared", "-nostdlib"))
        return f"/{_LIB}/{shown}", [file("app", "\x7f", mode=0o755), library]
    if shown in ("iconv", "bash", "gawk"):
        tool = calling("puts", name=f"opt/bin/{shown}")
        return f"/opt/bin/{shown}", [file("app", "\x7f", mode=0o755), tool, *libc()]
    # What is in no library here may be undefined in one.
    flags = ("-shared", "-fPIC") if shown.startswith(("OSSL_", "sasl_", "krb5_", "pam_")) else ()
    return "/app", [calling(shown, flags=flags), *libc()]


@pytest.mark.parametrize(
    ("rule", "likelihood", "shown", "path"), _LINES, ids=lambda value: str(value).strip("/")
)
def test_a_rule_alone_keeps_what_is_opened(
    rule: str, likelihood: str, shown: str, path: str
) -> None:
    path = path.replace("@", f"/{_LIB}", 1)
    trigger, members = _trigger(shown)
    known = {str(member.name) for member in _CONFIGURATION if isinstance(member, Member)}
    members = [*members, *_CONFIGURATION]
    if path.lstrip("/") not in known:
        members.append(path.lstrip("/"))
    found = []
    for least in Likelihood:
        options = Options(keep_dlopen=least)
        plan = planned({"Cmd": ["/app"], "Env": [*_ENV, f"X={trigger}"]}, members, options=options)
        rules = [r for r in reasons(plan).get(path, "").split() if r in _NAMES]
        found.append((rule in rules, left_out(plan).get(path, "")))
    order = [one.name.lower() for one in Likelihood]
    kept = order.index(likelihood)
    assert [is_kept for is_kept, _ in found] == [number <= kept for number in range(3)]
    if likelihood != "certain":
        assert found[2][1].startswith(f"{likelihood} ") or found[2][1] == ""


_NAMES = {rule.name for rule in RULES}


def test_every_rule_is_among_them() -> None:
    tested = {(line[0], line[1]) for line in _LINES}
    rows = {(rule.name, rule.likelihood.name.lower()) for rule in RULES}
    assert rows - tested == {("libc.gconv-named", "likely"), ("libc.gconv-named", "guessed")}
