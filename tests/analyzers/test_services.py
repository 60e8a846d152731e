"""Services by their configuration: `+` is kept, `-` is not, and nothing else is there."""

from pathlib import Path

import pytest
from closure.kit import left_out, planned
from filetree.kit import Member, directory, file

from analyzers.kit import findings
from minify.closure import Likelihood
from minify.image.jsontext import Json
from minify.pipeline import Options


def service(name: str, *members: str) -> list[Member | str]:
    """The members without their marks, the program's package, and all in /usr/lib of its own."""
    plain = [member[1:] for member in members]
    paths = [member.partition(": ")[0].partition(" -> ")[0] for member in plain]
    # Nobody owns `/srv` and `/opt`; the modules' directory is the package's alone.
    own = [path for path in paths if path.startswith("usr/")]
    above = {"/".join(path.split("/")[:n]) for path in own for n in range(2, path.count("/") + 1)}
    lines = "\n".join(f"/{path}" for path in (f"usr/sbin/{name}", *sorted(above), *own))
    return [
        file(f"usr/sbin/{name}", "\x7f", mode=0o755),
        file("var/lib/dpkg/status", f"Package: {name}\nStatus: install ok installed\n\n"),
        file(f"var/lib/dpkg/info/{name}.list", f"/.\n/usr\n/usr/lib\n{lines}\n"),
        *plain,
    ]


def marked(command: str, *members: str, env: tuple[str, ...] = ()) -> list[str]:
    """`members` again, each with the mark that minify gives it."""
    words = command.split(" ")
    run: dict[str, Json] = {"Cmd": [*words], "Env": ["PATH=/usr/sbin:/usr/bin", *env]}
    keep = findings(run, service(words[0], *members))
    return [f"{'+' if path_of(member) in keep.kept else '-'}{member[1:]}" for member in members]


def path_of(member: str) -> str:
    return f"/{member[1:].partition(': ')[0].partition(' -> ')[0].rstrip('/')}"


CASES = sorted(Path(__file__).with_name("services").glob("*.txt"))


def case(path: Path) -> tuple[str, tuple[str, ...]]:
    """A command line and marked members: what is indented is the text of the file before it."""
    command, *lines = path.read_text("utf-8").splitlines()
    members: list[str] = []
    for line in lines:
        if line.startswith("    "):
            name, colon, text = members[-1].partition(": ")
            members[-1] = f"{name}{colon or ': '}{text}{line[4:]}\n"
        else:
            members.append(line.replace(" /", "", 1))
    return command.removeprefix("$ "), tuple(members)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_service_keeps_what_its_configuration_names(path: Path) -> None:
    command, members = case(path)
    assert marked(command, *members) == [*members]


def test_without_configuration_all_modules_stay() -> None:
    members = ("+usr/lib/nginx/modules/a.so", "+usr/lib/nginx/modules/b.so")
    assert marked("nginx", *members) == [*members]


def test_configuration_that_will_be_mounted_is_not_the_usual_one() -> None:
    members = (
        "-etc/nginx/nginx.conf: root /srv/www;",
        "-srv/www/index.html",
        "+usr/lib/nginx/modules/a.so",
    )
    assert marked("nginx -c /mounted/nginx.conf", *members) == [*members]


def test_a_module_of_the_command_line_or_of_a_variable_is_enabled() -> None:
    members = (
        "+etc/apache2/apache2.conf: Listen 80",
        "+usr/lib/apache2/modules/mod_dav.so",
        "+usr/lib/apache2/modules/mod_env.so",
        "-usr/lib/apache2/modules/mod_lua.so",
    )
    found = marked(
        "apache2 -C LoadModule\tdav_module\tmodules/mod_dav.so", *members, env=("MODS=mod_env",)
    )
    assert found == [*members]


def test_a_module_that_the_entrypoint_enables_stays() -> None:
    run: dict[str, Json] = {"Entrypoint": ["/start"], "Cmd": ["apache2"], "Env": ["PATH=/usr/sbin"]}
    script = "#!/bin/sh\n# a2enmod lua\na2enmod rewrite\nexec apache2 -D FOREGROUND\n"
    members = service(
        "apache2",
        "+etc/apache2/apache2.conf: Listen 80",
        "+usr/lib/apache2/modules/mod_rewrite.so",
        "-usr/lib/apache2/modules/mod_lua.so",
    )
    keep = findings(run, [*members, file("start", script, mode=0o755), directory("bin")])
    modules = [path for path in keep.kept if path.startswith("/usr/lib/apache2/modules/")]
    assert modules == ["/usr/lib/apache2/modules/mod_rewrite.so"]


@pytest.mark.parametrize("text", ["include /etc/nginx/nginx.conf;", "include *;", "include /*/*;"])
def test_configuration_that_includes_itself_ends(text: str) -> None:
    members = (f"+etc/nginx/nginx.conf: {text}\n",)
    assert marked("nginx", *members) == [*members]


@pytest.mark.parametrize(
    "options",
    [
        Options(keep=("/usr/lib/nginx",)),
        Options(keep=("/usr/lib/nginx/modules/b.so",)),
        Options(keep_dlopen=Likelihood.GUESSED),
    ],
)
def test_modules_that_nothing_names_stay_where_the_user_wants_them(options: Options) -> None:
    members = service(
        "nginx",
        "+etc/nginx/nginx.conf: load_module modules/a.so;",
        "+usr/lib/nginx/modules/a.so",
        "+usr/lib/nginx/modules/b.so",
    )
    run: dict[str, Json] = {"Cmd": ["/usr/sbin/nginx"]}
    module = "/usr/lib/nginx/modules/b.so"
    plan = planned(run, members)
    assert module not in plan.keep.kept
    assert left_out(plan) == {module: "guessed service.available"}
    assert module in planned(run, members, options=options).keep.kept


@pytest.mark.parametrize("command", ["exec nginx", "exec $(which nginx) -g x", "tool --once"])
def test_what_a_script_runs_brings_its_packages_own_directories(command: str) -> None:
    program = "tool" if command.startswith("tool") else "nginx"
    members = [
        *service(program, "+usr/lib/own/helper", "+usr/share/own/template"),
        file("bin/sh", "\x7f", mode=0o755),
        file("bin/which", "\x7f", mode=0o755),
        file("start", f"#!/bin/sh\n{command}\nwait\n", mode=0o755),
    ]
    run: dict[str, Json] = {"Cmd": ["/start"], "Env": ["PATH=/usr/sbin:/bin"]}
    kept = planned(run, members).keep.kept
    assert {"/usr/lib/own/helper", "/usr/share/own/template"} <= kept.keys()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yml", "rule_files:\n  - rules/*.yml\n"),
        ("c.json", '{"rules": ["./rules/a.yml"]}'),
        ("c.toml", "rules = ['/etc/conf/rules/a.yml']"),
        ("c.properties", "app.rules=rules/a.yml"),
        ("c.xml", "<config><!-- --><rules>rules/a.yml</rules></config>"),
        ("Caddyfile.conf", "import rules/a.yml\n"),
    ],
)
def test_any_configuration_of_the_application_keeps_what_it_names(name: str, text: str) -> None:
    members = (
        f"+etc/conf/{name}: {text}",
        "+etc/conf/rules/a.yml",
        "-etc/conf/other/b.yml",
        "-rules/a.yml",
    )
    assert marked(f"serve --config=/etc/conf/{name}", *members) == [*members]
