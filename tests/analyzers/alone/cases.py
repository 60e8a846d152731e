"""Which cases there are: a table of C programs, and of a few commands.

Functions are not declared but where they give a pointer: no headers are needed, only the libraries
of the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from minify.analyzers.opened import RULES
from minify.analyzers.opened.rule import Rule
from minify.closure import Likelihood

PACKAGES = (
    *("locales", "libc-l10n", "tzdata", "netbase", "ca-certificates", "libssl3", "libmagic1"),
    *("libnss3", "libp11-kit0", "p11-kit-modules", "libsasl2-2", "libsasl2-modules", "libkrb5-3"),
    *("krb5-config", "libpam0g", "libpam-modules", "libldap-2.5-0", "libldap-common", "iptables"),
    *("shared-mime-info", "libxml2", "libproj25", "libtesseract5", "tesseract-ocr-eng"),
    *("libtcl8.6", "libgs10", "poppler-utils", "poppler-data", "libodbc2", "libmariadb3"),
    *("libfontconfig1", "fontconfig-config", "fonts-dejavu-core", "libgdk-pixbuf-2.0-0"),
    *("librsvg2-common", "libmagickwand-6.q16-6", "libgvc6", "libasound2", "libasound2-data"),
    *("libgstreamer1.0-0", "gstreamer1.0-plugins-base", "libglib2.0-0", "glib-networking"),
    *("libx11-6", "libx11-data", "libxkbcommon0", "xkb-data", "mariadb-common"),
)


@dataclass(frozen=True, slots=True)
class Case:
    rule: str
    """A row's name; with `#2` the second of that name."""
    prints: str
    """What is printed with the rule, and not without it."""
    main: str = ""
    """The body of `main`, which may call `show` with what is to be printed."""
    before: str = ""
    """Declarations before it."""
    libraries: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    """What is run instead of the compiled program."""
    environment: Mapping[str, str] = field(default_factory=dict)
    least: Likelihood | None = None
    """`--keep-dlopen`, where rows of a lesser likelihood have a part in it; else the row's."""

    @property
    def name(self) -> str:
        return self.rule.replace("#", "-")


def row(case: Case) -> Rule:
    """The row of the table that a case is about."""
    name, _, number = case.rule.partition("#")
    return [rule for rule in RULES if rule.name == name][int(number or 1) - 1]


_FRENCH = {"LANG": "fr_FR.UTF-8"}

CASES = (
    Case(
        "libc.nss",
        "443",
        main="""
            int *p = getservbyname("https", "tcp");
            show("%d", p ? ntohs(p[4]) : 0);
        """,
        before="""
            void *getservbyname();
        """,
    ),
    Case(
        "libc.libgcc",
        "ended",
        main="""
            pthread_create(&id, 0, end, 0);
            pthread_join(id, 0);
            show("ended");
        """,
        before="""
            long id;
            void *end(void *unused) { pthread_exit(0); }
        """,
    ),
    Case(
        "libc.locale",
        "found",
        main="""
            show(setlocale(6, "C.UTF-8") ? "found" : "none");
        """,
        before="""
            char *setlocale();
        """,
    ),
    Case(
        "libc.locales",
        "found",
        main="""
            show(setlocale(6, "fr_FR.UTF-8") ? "found" : "none");
        """,
        before="""
            char *setlocale();
        """,
    ),
    Case(
        "libc.messages",
        "Aucun fichier ou dossier de ce type",
        main="""
            setlocale(6, "");
            show("%s", dcgettext("libc", "No such file or directory", 5));
        """,
        before="""
            char *dcgettext();
        """,
        environment=_FRENCH,
    ),
    Case(
        "libc.shell",
        "3",
        main="""
            show("%d", system("exit 3") >> 8);
        """,
    ),
    Case(
        "shell.home",
        "of-profile",
        command=("/bin/bash", "--login", "-c", "echo $OF_PROFILE"),
    ),
    Case(
        "libc.timezone",
        "9",
        main="""
            long now = 0;
            show("%d", localtime(&now)[2]);
        """,
        before="""
            int *localtime();
        """,
        environment={"TZ": "Asia/Tokyo"},
    ),
    Case(
        "libc.timezones",
        "9",
        main="""
            long now = 0;
            setenv("TZ", "Asia/Tokyo", 1);
            show("%d", localtime(&now)[2]);
        """,
        before="""
            int *localtime();
        """,
    ),
    Case(
        "libc.gconv",
        "opened",
        main="""
            show((long)iconv_open("SHIFT_JIS", "UTF-8") == -1 ? "none" : "opened");
        """,
        before="""
            void *iconv_open();
        """,
        least=Likelihood.LIKELY,
    ),
    Case(
        "libc.gconv#2",
        "1 e9",
        main="""
            int wide[2];
            setlocale(6, "");
            long count = mbstowcs(wide, "\\xe9", 2);
            show("%ld %x", count, *wide);
        """,
        before="""
            long mbstowcs();
        """,
        environment={"LANG": "fr_FR.ISO-8859-1"},
    ),
    Case(
        "libc.gconv-named",
        "opened",
        main="""
            show((long)iconv_open("EUC-JP", "UTF-8") == -1 ? "none" : "opened");
        """,
        before="""
            void *iconv_open();
        """,
    ),
    Case(
        "libc.gconv-tool",
        "mailto:",
        command=("/usr/bin/iconv", "-f", "IBM037", "-t", "UTF-8", "/app/ebcdic"),
    ),
    Case(
        "libc.gconv-all",
        "opened",
        main="""
            char name[9] = "BIG";
            strcat(name, "5");
            show((long)iconv_open(name, "UTF-8") == -1 ? "none" : "opened");
        """,
        before="""
            void *iconv_open();
        """,
    ),
    Case(
        "tls",
        "1",
        main="""
            show("%d", CONF_modules_load_file(0, 0, 0));
        """,
        libraries=("libcrypto.so.3",),
    ),
    Case(
        "tls.configured",
        "1",
        main="""
            show("%d", OSSL_PROVIDER_available(0, "minitest"));
        """,
        libraries=("libcrypto.so.3",),
    ),
    Case(
        "tls.provider",
        "loaded",
        main="""
            show(OSSL_PROVIDER_load(0, "legacy") ? "loaded" : "none");
        """,
        before="""
            void *OSSL_PROVIDER_load();
        """,
        libraries=("libcrypto.so.3",),
    ),
    Case(
        "tls.modules",
        "found",
        main="""
            setenv("OPENSSL_CONF", "/app/legacy.cnf", 1);
            show(EVP_MD_fetch(0, "MD4", 0) ? "found" : "none");
        """,
        before="""
            void *EVP_MD_fetch();
        """,
        libraries=("libcrypto.so.3",),
    ),
    Case(
        "nss3.modules",
        "0",
        main="""
            show("%d", NSS_NoDB_Init("."));
        """,
        libraries=("libnss3.so",),
        least=Likelihood.LIKELY,
    ),
    Case(
        "p11-kit",
        "loaded",
        main="""
            void **modules = p11_kit_modules_load_and_initialize(0);
            show(modules && *modules ? "loaded" : "none");
        """,
        before="""
            void *p11_kit_modules_load_and_initialize();
        """,
        libraries=("libp11-kit.so.0",),
    ),
    Case(
        "sasl",
        "PLAIN",
        main="""
            void *one;
            char *out = "none";
            sasl_client_init(0);
            sasl_client_new("imap", "localhost", 0, 0, asks, 0, &one);
            sasl_listmech(one, 0, "", " ", "", &out, 0, 0);
            show("%s", strstr(out, "PLAIN") ? "PLAIN" : out);
        """,
        before="""
            int none() { return -1; }
            struct { long id; int (*ask)(); void *data; } asks[] = {
                {0x4001, none}, {0x4002, none}, {0x4004, none}, {0}};
            char *strstr();
        """,
        libraries=("libsasl2.so.2",),
    ),
    Case(
        "sasl.modules",
        "PLAIN",
        main="""
            void *library = dlopen("libsasl2.so.2", 2), *one;
            int (*init)() = dlsym(library, "sasl_client_init");
            int (*new)() = dlsym(library, "sasl_client_new");
            int (*list)() = dlsym(library, "sasl_listmech");
            char *out = "none";
            init(0);
            new("imap", "localhost", 0, 0, asks, 0, &one);
            list(one, 0, "", " ", "", &out, 0, 0);
            show("%s", strstr(out, "PLAIN") ? "PLAIN" : out);
        """,
        before="""
            int none() { return -1; }
            struct { long id; int (*ask)(); void *data; } asks[] = {
                {0x4001, none}, {0x4002, none}, {0x4004, none}, {0}};
            char *strstr();
            void *dlopen(), *dlsym();
        """,
    ),
    Case(
        "kerberos",
        "ATHENA.MIT.EDU",
        main="""
            void *context;
            char *realm = "none";
            krb5_init_context(&context);
            krb5_get_default_realm(context, &realm);
            show("%s", realm);
        """,
        libraries=("libkrb5.so.3",),
    ),
    Case(
        "pam",
        "0",
        main="""
            void *handle;
            struct { int (*talk)(); void *data; } talk = {0};
            pam_start("minitest", "root", &talk, &handle);
            show("%d", pam_authenticate(handle, 0));
        """,
        libraries=("libpam.so.0",),
    ),
    Case(
        "pam#2",
        "0",
        main="""
            void *library = dlopen("libpam.so.0", 2), *handle;
            int (*start)() = dlsym(library, "pam_start");
            int (*ask)() = dlsym(library, "pam_authenticate");
            struct { int (*talk)(); void *data; } talk = {0};
            start("minitest", "root", &talk, &handle);
            show("%d", ask(handle, 0));
        """,
        before="""
            void *dlopen(), *dlsym();
        """,
    ),
    Case(
        "ldap",
        "ldap://rules.test:389",
        main="""
            char *url = 0;
            ldap_get_option(0, 0x5006, &url);
            show("%s", url);
        """,
        libraries=("libldap-2.5.so.0",),
    ),
    Case(
        "xtables",
        "found",
        main="""
            xtables_init();
            xtables_set_params(&parameters);
            xtables_set_nfproto(2);
            show(xtables_find_match("tcp", 2, 0) ? "found" : "none");
        """,
        before="""
            void *xtables_find_match();
            void fail() {}
            int known() { return 1; }
            struct { long offset; char *name, *version; void *first, *options; int (*fail)();
                int (*is_known)(); } parameters = {256, "app", "1", 0, 0, fail, known};
        """,
        libraries=("libxtables.so.12",),
    ),
    Case(
        "terminfo",
        "1",
        main="""
            int found = 0;
            setupterm("xterm", 1, &found);
            show("%d", found);
        """,
        libraries=("libtinfo.so.6",),
    ),
    Case(
        "terminfo.all",
        "1",
        main="""
            int found = 0;
            setupterm("cygwin", 1, &found);
            show("%d", found);
        """,
        libraries=("libtinfo.so.6",),
    ),
    Case(
        "magic",
        "0",
        main="""
            show("%d", magic_load(magic_open(0), 0));
        """,
        before="""
            void *magic_open();
        """,
        libraries=("libmagic.so.1",),
    ),
    Case(
        "mime",
        "image/png",
        main="""
            show("%s", g_content_type_guess("a.png", 0, 0, 0));
        """,
        before="""
            char *g_content_type_guess();
        """,
        libraries=("libgio-2.0.so.0",),
    ),
    Case(
        "xml",
        "file:///found",
        main="""
            xmlInitializeCatalog();
            char *found = xmlCatalogResolveURI("test:one");
            show("%s", found ? found : "none");
        """,
        before="""
            char *xmlCatalogResolveURI();
        """,
        libraries=("libxml2.so.2",),
    ),
    Case(
        "proj",
        "made",
        main="""
            show(proj_create(0, "EPSG:4326") ? "made" : "none");
        """,
        before="""
            void *proj_create();
        """,
        libraries=("libproj.so.25",),
    ),
    Case(
        "tesseract",
        "0",
        main="""
            show("%d", TessBaseAPIInit3(TessBaseAPICreate(), 0, "eng"));
        """,
        before="""
            void *TessBaseAPICreate();
        """,
        libraries=("libtesseract.so.5",),
    ),
    Case(
        "tcl",
        "0",
        main="""
            show("%d", Tcl_Init(Tcl_CreateInterp()));
        """,
        before="""
            void *Tcl_CreateInterp();
        """,
        libraries=("libtcl8.6.so",),
    ),
    Case(
        "ghostscript",
        "0",
        main="""
            void *one;
            char *words[] = {"gs", "-q", "-dNODISPLAY", "-dBATCH"};
            gsapi_new_instance(&one, 0);
            show("%d", gsapi_init_with_args(one, 4, words));
        """,
        libraries=("libgs.so.10",),
    ),
    Case(
        "poppler",
        "日本語",
        command=("/usr/bin/pdftotext", "/app/cjk.pdf", "-"),
    ),
    Case(
        "odbc",
        "Minitest",
        main="""
            void *one;
            char name[99] = "none", more[99];
            short size;
            SQLAllocHandle(1, 0, &one);
            SQLSetEnvAttr(one, 200, 3L, 0);
            SQLDrivers(one, 2, name, 99, &size, more, 99, &size);
            show("%s", name);
        """,
        libraries=("libodbc.so.2",),
    ),
    Case(
        "mysql",
        "found",
        main="""
            void *one = mysql_init(0);
            show(mysql_client_find_plugin(one, "client_ed25519", 2) ? "found" : "none");
        """,
        before="""
            void *mysql_init(), *mysql_client_find_plugin();
        """,
        libraries=("libmariadb.so.3",),
    ),
    Case(
        "fonts.configuration",
        "configured",
        main="""
            void *config = FcInitLoadConfig(), *list = FcConfigGetConfigFiles(config);
            show(FcStrListNext(list) ? "configured" : "none");
        """,
        before="""
            void *FcInitLoadConfig(), *FcConfigGetConfigFiles(), *FcStrListNext();
        """,
        libraries=("libfontconfig.so.1",),
    ),
    Case(
        "fonts",
        "drawn",
        main="""
            int *set, got;
            void *config = FcInitLoadConfigAndFonts();
            set = FcConfigGetFonts(config, 0);
            show(set && *set ? "drawn" : "none");
        """,
        before="""
            void *FcInitLoadConfigAndFonts(), *FcConfigGetFonts();
        """,
        libraries=("libfontconfig.so.1",),
    ),
    Case(
        "pixbuf",
        "read",
        main="""
            show(gdk_pixbuf_new_from_file("/app/a.svg", 0) ? "read" : "none");
        """,
        before="""
            void *gdk_pixbuf_new_from_file();
        """,
        libraries=("libgdk_pixbuf-2.0.so.0",),
        least=Likelihood.LIKELY,
    ),
    Case(
        "magick.configuration",
        "16000",
        main="""
            MagickWandGenesis();
            show("%ld", MagickGetResourceLimit(9));
        """,
        before="""
            long MagickGetResourceLimit();
        """,
        libraries=("libMagickWand-6.Q16.so.6",),
    ),
    Case(
        "magick.coders",
        "1",
        main="""
            MagickWandGenesis();
            show("%d", MagickReadImage(NewMagickWand(), "rose:"));
        """,
        before="""
            void *NewMagickWand();
        """,
        libraries=("libMagickWand-6.Q16.so.6",),
    ),
    Case(
        "graphviz",
        "0",
        main="""
            void *context = gvContext(), *graph = agmemread("digraph { a -> b }");
            show("%d", gvLayout(context, graph, "dot"));
        """,
        before="""
            void *gvContext(), *agmemread();
        """,
        libraries=("libgvc.so.6", "libcgraph.so.6"),
    ),
    Case(
        "alsa",
        "0",
        main="""
            void *device;
            show("%d", snd_pcm_open(&device, "null", 0, 0));
        """,
        libraries=("libasound.so.2",),
        least=Likelihood.LIKELY,
    ),
    Case(
        "gstreamer",
        "made",
        main="""
            gst_init(0, 0);
            show(gst_element_factory_make("videotestsrc", 0) ? "made" : "none");
        """,
        before="""
            void *gst_element_factory_make();
        """,
        libraries=("libgstreamer-1.0.so.0",),
    ),
    Case(
        "gio",
        "1",
        main="""
            show("%d", g_tls_backend_supports_tls(g_tls_backend_get_default()));
        """,
        before="""
            void *g_tls_backend_get_default();
        """,
        libraries=("libgio-2.0.so.0",),
    ),
    Case(
        "x11.locale",
        "1",
        main="""
            setlocale(6, "C.UTF-8");
            show("%d", XSupportsLocale());
        """,
        libraries=("libX11.so.6",),
    ),
    Case(
        "xkb",
        "made",
        main="""
            show(xkb_keymap_new_from_names(xkb_context_new(0), 0, 0) ? "made" : "none");
        """,
        before="""
            void *xkb_keymap_new_from_names(), *xkb_context_new();
        """,
        libraries=("libxkbcommon.so.0",),
    ),
)
