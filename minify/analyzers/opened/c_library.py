"""What the C library opens by itself when certain functions are called."""

from __future__ import annotations

from minify.analyzers.opened import charsets, configured
from minify.analyzers.opened.rule import Contains, Rule, Scope, calls, module, program
from minify.closure import Likelihood

CERTAIN, LIKELY, GUESSED = reversed(Likelihood)

_NAMES = calls(
    """
    getaddrinfo getnameinfo gethostbyname gethostbyname2 gethostbyaddr gethostbyname_r
    gethostbyname2_r gethostbyaddr_r getservbyname getservbyport getservbyname_r getservbyport_r
    getprotobyname getprotobynumber getprotobyname_r getpwnam getpwuid getpwnam_r getpwuid_r
    getpwent getgrnam getgrgid getgrnam_r getgrgid_r getgrent getgrouplist initgroups getspnam
    getnetbyname
    """,
    b"/etc/nsswitch.conf",
    b"nsswitch.conf",
    b"/etc/hosts",
)
_LOCALE = calls("setlocale newlocale uselocale", b"/usr/lib/locale/locale-archive")
_MESSAGES = calls("gettext dgettext dcgettext ngettext dngettext dcngettext bindtextdomain")
_TIME = calls(
    """
    localtime localtime_r tzset mktime strftime wcsftime timelocal __localtime64 __localtime64_r
    __mktime64
    """,
    b"/usr/share/zoneinfo",
    b"/etc/localtime",
)
_ICONV = calls("iconv_open", b"gconv-modules")
_WIDE = calls("mbstowcs mbsrtowcs mbrtowc mbtowc wcstombs wcrtomb btowc nl_langinfo")

RULES = (
    Rule(
        "libc.nss",
        _NAMES,
        CERTAIN,
        "names of hosts, accounts and services are looked up as nsswitch.conf says",
        "80 KB",
        keeps=(
            "/etc/nsswitch.conf",
            "/etc/services",
            "/etc/protocols",
            "/etc/networks",
            "/etc/host.conf",
            "/etc/gai.conf",
            "@/libnss_files.so.2",
            "@/libnss_dns.so.2",
            "@/libnss_compat.so.2",
        ),
        finds=configured.name_services,
    ),
    Rule(
        "libc.libgcc",
        calls("pthread_create pthread_exit pthread_cancel backtrace thrd_create"),
        CERTAIN,
        "the stack is unwound by libgcc_s.so.1, which the C library opens",
        "122 KB",
        keeps=("@/libgcc_s.so.1",),
    ),
    Rule(
        "libc.locale",
        _LOCALE,
        CERTAIN,
        "the locale that LANG and LC_ALL name is read",
        "0.35 MB for C.utf8; a locale-archive has any size",
        keeps=(
            "/usr/share/locale/locale.alias",
            "/etc/locale.alias",
            "/usr/lib/locale/C.[uU]*/",
        ),
        finds=configured.locales,
    ),
    Rule(
        "libc.locales",
        _LOCALE,
        LIKELY,
        "whoever starts it may set another locale",
        "3 MB a locale that was generated",
        keeps=("/usr/lib/locale/",),
    ),
    Rule(
        "libc.messages",
        _MESSAGES,
        LIKELY,
        "messages are in the language that LANG names",
        "1.3 MB for one language",
        finds=configured.message_catalogues,
    ),
    Rule(
        "libc.shell",
        calls("system popen wordexp", b"/bin/sh"),
        LIKELY,
        "commands are run by a shell",
        "0.1 MB",
        keeps=("/bin/sh",),
    ),
    Rule(
        "shell.home",
        program("bash|zsh|ksh"),
        LIKELY,
        "who works in it has settings",
        "20 KB",
        keeps=(
            "/etc/profile",
            "/etc/profile.d/",
            "/etc/bash.bashrc",
            "/root/.bashrc",
            "/root/.profile",
            "/root/.bash_profile",
            "/etc/zsh/",
            "/root/.zshrc",
        ),
        scope=Scope.FIRST_PARTY,
    ),
    Rule(
        "libc.timezone",
        _TIME,
        CERTAIN,
        "times are local ones",
        "3 KB",
        keeps=("/etc/localtime", "/etc/timezone"),
        finds=configured.time_zone,
    ),
    Rule(
        "libc.timezones",
        _TIME,
        LIKELY,
        "TZ or the program's own settings may name any zone",
        "0.6 MB; the copies in other time scales, 5 MB, are left out",
        keeps=("/usr/share/zoneinfo/[!pr]*/", "/usr/share/zoneinfo/posixrules"),
    ),
    Rule(
        "libc.gconv",
        _ICONV,
        CERTAIN,
        "charsets are converted, and those that are there listed",
        "26 KB",
        keeps=("@/gconv/gconv-modules.cache",),
    ),
    Rule(
        "libc.gconv",
        _WIDE,
        CERTAIN,
        "charsets of locales are converted, and those that are there listed",
        "26 KB",
        keeps=("@/gconv/gconv-modules.cache",),
        finds=charsets.of_locale,
    ),
    Rule(
        "libc.gconv-static",
        Contains((b"gconv-modules",)),
        CERTAIN,
        "it is static, and loads a second C library with a module for a charset",
        "1.9 MB",
        keeps=("@/gconv/gconv-modules.cache", "@/libc.so.6"),
    ),
    Rule(
        "libc.gconv-named",
        _ICONV,
        LIKELY,
        "it names a charset that a module converts",
        "0.1 MB for SJIS",
        finds=charsets.named,
        scope=Scope.FIRST_PARTY,
    ),
    Rule(
        "libc.gconv-tool",
        program(r"iconv|php(-fpm|-cgi)?[\d.]*"),
        LIKELY,
        "whoever runs it, or a script of its, names the charsets",
        "7.7 MB",
        keeps=("@/gconv/",),
    ),
    Rule(
        "libc.gconv-tool",
        module("[iI]conv"),
        LIKELY,
        "scripts name the charsets",
        "7.7 MB",
        keeps=("@/gconv/",),
    ),
    Rule(
        "libc.gconv-all",
        _ICONV,
        GUESSED,
        "a user may ask for any charset",
        "7.7 MB",
        keeps=("@/gconv/",),
        scope=Scope.FIRST_PARTY,
    ),
    Rule(
        "libc.gconv-named",
        _ICONV,
        GUESSED,
        "it names a charset that a module converts",
        "0.1 MB for SJIS",
        finds=charsets.named,
        scope=Scope.OTHERS,
    ),
)
