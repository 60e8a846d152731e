"""How known services are configured: an entry a program, by its name without directory and version.

What is common needs no entry: directives that begin with `include` are followed, relative names are
looked up beside the configuration. Each is from the program's manual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Modules:
    """Shared objects of which a program loads those that its configuration names."""

    files: str
    """Globs of them."""
    prefix: str = ""
    suffix: str = ""
    """What configuration leaves off their names, before and behind; `.so` always."""
    always: str = ""
    """Globs of the names of those that are loaded though nothing names them."""


@dataclass(frozen=True, slots=True)
class Service:
    """How one program finds its configuration and what that names."""

    files: str = ""
    """Globs of the files that it reads by itself."""
    options: str = ""
    """Options whose value is the file, or directory of files, that it reads instead."""
    is_operand: bool = False
    """Whether its first operand is such a file."""
    is_deep: bool = False
    """Whether it reads such a directory to its depth."""
    prefixes: str = ""
    """Options whose value is the directory that relative names are below."""
    base: str = ""
    """The directive whose value is that directory, folded."""
    bases: str = ""
    """Such directories that are compiled in."""
    includes: str = ""
    """Directives, folded, that name more files to read, beside those called `include…`."""
    variables: str = ""
    """A shell file that assigns the variables of the configuration."""
    modules: Modules | None = None
    programs: str = ""
    """Globs of the programs that it is a wrapper of."""
    helpers: str = ""
    """Globs of programs that it starts though nothing names them."""
    data: str = ""
    """Globs of files and directories that it or its helpers read though nothing names them."""


_APACHE_PROGRAMS = "/usr/sbin/apache2 /usr/sbin/httpd /usr/local/apache2/bin/httpd"
_APACHE = Service(
    files="/etc/apache2/apache2.conf /etc/apache2/conf-enabled/*.conf /etc/apache2/httpd.conf"
    " /etc/apache2/conf.d/*.conf /etc/httpd/conf/httpd.conf /etc/httpd/conf.d/*.conf"
    " /usr/local/apache2/conf/httpd.conf",
    options="-f",
    prefixes="-d",
    base="serverroot",
    bases="/etc/apache2 /etc/httpd /usr/local/apache2 /var/www",
    variables="/etc/apache2/envvars",
    modules=Modules(
        "/usr/lib/apache2/modules/*.so /usr/lib/apache2/*.so /usr/lib*/httpd/modules/*.so"
        " /usr/local/apache2/modules/*.so"
    ),
)
_APACHE_WRAPPER = replace(_APACHE, programs=_APACHE_PROGRAMS)
_NGINX = Service(
    files="/etc/nginx/nginx.conf /usr/local/nginx/conf/nginx.conf"
    " /usr/local/openresty/nginx/conf/nginx.conf",
    options="-c",
    prefixes="-p",
    bases="/usr/share/nginx /etc/nginx /usr/local/nginx /usr/local/openresty/nginx /var/lib/nginx",
    modules=Modules(
        "/usr/lib/nginx/modules/*.so /usr/lib64/nginx/modules/*.so /usr/local/nginx/modules/*.so"
        " /etc/nginx/modules/*.so"
    ),
)
_MYSQL = Service(
    files="/etc/my.cnf /etc/my.cnf.d/*.cnf /etc/mysql/*.cnf /etc/mysql/*.conf.d/*.cnf"
    " /etc/mysql/conf.d/*.cnf",
    options="--defaults-file --defaults-extra-file",
)
_POSTFIX = Service(
    files="/etc/postfix/*.cf /etc/postfix/*.cf.d/*",
    options="-c",
    helpers="/usr/lib/postfix/sbin/postfix-script /usr/libexec/postfix/postfix-script"
    " /usr/lib/postfix/postfix-script /usr/sbin/sendmail /usr/sbin/post[adklmqs]*"
    " /usr/sbin/postc[ao]*",
    data="/usr/lib/postfix /usr/libexec/postfix",
)
# It compiles its configuration with the C compiler.
_VARNISH = Service(
    files="/etc/varnish/default.vcl",
    options="-f",
    bases="/etc/varnish /usr/share/varnish/vcl",
    modules=Modules("/usr/lib/*/varnish*/vmods/*.so /usr/lib/varnish*/vmods/*.so", "libvmod_"),
    helpers="/usr/bin/cc /usr/bin/gcc /usr/bin/*-linux-*-gcc /usr/bin/c99-gcc /usr/bin/as"
    " /usr/bin/ld"
    " /usr/lib/gcc/*/*/cc1 /usr/lib/gcc/*/*/collect2 /usr/libexec/gcc/*/*/cc1"
    " /usr/libexec/gcc/*/*/collect2",
    data="/usr/lib/gcc/*/*/include /usr/lib/gcc/*/*/*.[oa] /usr/lib/gcc/*/*/*lto*.so"
    " /usr/include /usr/lib/*-linux-gnu*/crt*.o /usr/lib/*-linux-gnu*/libc.so"
    " /usr/lib/*-linux-gnu*/libpthread.a /usr/lib/*-linux-gnu*/libc_nonshared.a"
    " /usr/lib/crt*.o /usr/lib/libc.so /usr/lib/gcc/*/*/libgcc_s.so",
)

SERVICES: Mapping[str, Service] = {
    "apache": _APACHE,
    "apache2-foreground": _APACHE_WRAPPER,
    "apache2ctl": _APACHE_WRAPPER,
    "apachectl": _APACHE_WRAPPER,
    "collectd": Service(
        files="/etc/collectd/collectd.conf /etc/collectd.conf",
        options="-C",
        modules=Modules("/usr/lib/collectd/*.so /usr/lib64/collectd/*.so"),
    ),
    "circusd": Service(files="/etc/circus/circus.ini", is_operand=True),
    "dnsmasq": Service(
        files="/etc/dnsmasq.conf /etc/dnsmasq.d/*",
        options="-C --conf-file -7 --conf-dir",
        includes="conffile confdir hostsdir dhcphostsfile addnhosts resolvfile",
    ),
    "dovecot": Service(files="/etc/dovecot/dovecot.conf", options="-c"),
    "exim": Service(
        files="/etc/exim4/update-exim4.conf.conf /etc/exim4/exim4.conf.template"
        " /var/lib/exim4/config.autogenerated /etc/exim4/exim4.conf /etc/exim/exim.conf",
        options="-C",
    ),
    "groff": Service(
        # What the descriptions of its devices name as `postpro`; gropdf is of perl.
        helpers="/usr/bin/grops /usr/bin/grotty /usr/bin/grodvi /usr/bin/grolbp /usr/bin/grolj4"
        " /usr/bin/preconv",
    ),
    "haproxy": Service(
        files="/etc/haproxy/haproxy.cfg /etc/haproxy/conf.d/*.cfg"
        " /usr/local/etc/haproxy/haproxy.cfg",
        options="-f",
        prefixes="-C",
    ),
    "httpd": _APACHE,
    "httpd-foreground": _APACHE_WRAPPER,
    "icecast": Service(files="/etc/icecast2/icecast.xml /etc/icecast.xml", options="-c"),
    "inetd": Service(files="/etc/inetd.conf", is_operand=True),
    "lighttpd": Service(
        files="/etc/lighttpd/lighttpd.conf /etc/lighttpd/conf-enabled/*.conf",
        options="-f",
        modules=Modules(
            "/usr/lib/lighttpd/mod_*.so /usr/lib64/lighttpd/mod_*.so",
            # configfile.c adds them where the configuration does not.
            always="mod_indexfile mod_dirlisting mod_staticfile mod_auth mod_authn_file mod_h2"
            " mod_openssl mod_deflate mod_access",
        ),
    ),
    "mariadbd": _MYSQL,
    "master": _POSTFIX,
    "memcached": Service(files="/etc/memcached.conf"),
    "monit": Service(files="/etc/monit/monitrc /etc/monitrc", options="-c"),
    "mosquitto": Service(
        files="/etc/mosquitto/mosquitto.conf /etc/mosquitto/conf.d/*.conf", options="-c"
    ),
    "mysqld": _MYSQL,
    "mysqld_safe": replace(_MYSQL, programs="/usr/sbin/mariadbd /usr/sbin/mysqld"),
    "named": Service(files="/etc/bind/named.conf /etc/named.conf", options="-c", base="directory"),
    "nginx": _NGINX,
    "openresty": _NGINX,
    "openbsd-inetd": Service(files="/etc/inetd.conf", is_operand=True),
    "php-fpm": Service(
        files="/etc/php/*/fpm/php-fpm.conf /etc/php/*/fpm/pool.d/*.conf /etc/php-fpm.conf"
        " /etc/php-fpm.d/*.conf /etc/php*/php-fpm.conf /etc/php*/php-fpm.d/*.conf"
        " /usr/local/etc/php-fpm.conf /usr/local/etc/php-fpm.d/*.conf",
        options="-y --fpm-config",
        prefixes="-p --prefix",
        bases="/usr/local",
    ),
    "pg_ctl": Service(programs="/usr/lib/postgresql/*/bin/postgres /usr/local/bin/postgres"),
    "pg_ctlcluster": Service(programs="/usr/lib/postgresql/*/bin/postgres"),
    "postfix": replace(
        _POSTFIX, programs="/usr/lib/postfix/sbin/master /usr/libexec/postfix/master"
    ),
    "postgres": Service(
        files="/etc/postgresql/*/*/*.conf /etc/postgresql/*/*/conf.d/*.conf",
        options="-D",
        includes="hbafile identfile datadirectory",
    ),
    "privoxy": Service(
        files="/etc/privoxy/config", is_operand=True, includes="actionsfile filterfile"
    ),
    "proftpd": Service(
        files="/etc/proftpd/proftpd.conf /etc/proftpd.conf",
        options="-c --config",
        modules=Modules("/usr/lib/proftpd/*.so"),
    ),
    "rabbitmq-server": Service(
        files="/etc/rabbitmq/rabbitmq.conf /etc/rabbitmq/conf.d/*.conf"
        " /etc/rabbitmq/advanced.config /etc/rabbitmq/rabbitmq.config"
        " /etc/rabbitmq/enabled_plugins",
    ),
    "redis-sentinel": Service(files="/etc/redis/sentinel.conf", is_operand=True),
    "redis-server": Service(files="/etc/redis/redis.conf", is_operand=True),
    "rsync": Service(files="/etc/rsyncd.conf", options="--config"),
    # What the kinds of modules share (`lm…`) is loaded by them.
    "rsyslogd": Service(
        files="/etc/rsyslog.conf /etc/rsyslog.d/*.conf",
        options="-f",
        modules=Modules("/usr/lib/*/rsyslog/*.so /usr/lib/rsyslog/*.so", always="lm*"),
    ),
    "slapd": Service(
        files="/etc/ldap/slapd.conf /etc/ldap/slapd.d /etc/openldap/slapd.conf"
        " /etc/openldap/slapd.d",
        options="-f -F",
        is_deep=True,
        modules=Modules("/usr/lib/ldap/* /usr/lib/openldap/* /usr/lib*/openldap/*"),
    ),
    "smbd": Service(files="/etc/samba/smb.conf", options="-s --configfile"),
    "snmpd": Service(files="/etc/snmp/snmpd.conf /etc/snmp/snmpd.conf.d/*", options="-c"),
    "squid": Service(files="/etc/squid/squid.conf /etc/squid/conf.d/*.conf", options="-f"),
    "sshd": Service(
        files="/etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf",
        options="-f",
        bases="/etc/ssh",
        helpers="/usr/lib/openssh/sshd-* /usr/libexec/openssh/sshd-* /usr/libexec/sshd-*",
    ),
    "stunnel": Service(files="/etc/stunnel/*.conf", is_operand=True),
    "supervisord": Service(
        files="/etc/supervisor/supervisord.conf /etc/supervisor/conf.d/*.conf"
        " /etc/supervisord.conf /etc/supervisord.d/* /usr/local/etc/supervisord.conf",
        options="-c --configuration",
        includes="files",
    ),
    "tinyproxy": Service(
        files="/etc/tinyproxy/tinyproxy.conf /etc/tinyproxy.conf",
        options="-c",
        data="/usr/share/tinyproxy",
    ),
    "unbound": Service(
        files="/etc/unbound/unbound.conf /etc/unbound/unbound.conf.d/*.conf",
        options="-c",
        base="directory",
        bases="/etc/unbound",
    ),
    "uwsgi": Service(
        options="--ini --xml --yaml --yml --json -x -y -j",
        is_operand=True,
        modules=Modules("/usr/lib/uwsgi/plugins/*_plugin.so", suffix="_plugin"),
    ),
    "varnishd": _VARNISH,
    "vinyld": _VARNISH,
    "vsftpd": Service(files="/etc/vsftpd.conf /etc/vsftpd/vsftpd.conf", is_operand=True),
    "xinetd": Service(files="/etc/xinetd.conf /etc/xinetd.d/*", options="-f"),
}
"""By `plain_name`; several that share an entry are one program under several names."""
