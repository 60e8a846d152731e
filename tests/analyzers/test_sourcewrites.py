"""What the application's own sources write beside themselves."""

import pytest
from filetree.kit import Member, directory, file

from analyzers.kit import findings, writes
from minify.analyzers.sourcewrites import RULE
from minify.image.jsontext import Json


def written(source: str, *members: Member | str, name: str = "app/src/main.js") -> dict[str, str]:
    """What a source of the application in /app says is written."""
    run: dict[str, Json] = {"Cmd": ["/app/start"], "WorkingDir": "/app"}
    start = file("app/start", "\x7f", mode=0o755)
    found = writes(findings(run, [start, file(name, source), *members]), RULE)
    return {path: evidence.partition(":")[0] for path, evidence in found.items()}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('fs.mkdirSync(path.join(__dirname, "made"))', {"/app/src/made": "file"}),
        ('module.exports = { guests: path.join(__dirname, "..", "data", "g.json") }', "/app/data"),
        ("const LOGS = path.resolve(__dirname, 'log');", "/app/src/log"),
        ("rfs('a.log', { path: path.join(__dirname, 'log', name) })", "/app/src/log"),
        ("const root = path.dirname(__dirname);\nx = path.join(root, 'uploads')", "/app/uploads"),
        ("fs.writeFileSync('last.json', s)", {"/app/last.json": "file"}),
        ("fs.createWriteStream(`${__dirname}/tmp/${name}`)", "/app/src/tmp"),
        ("fs.createWriteStream(`seen/${name}.log`)", {"/app/seen": "file"}),
        ("fs.appendFile(__dirname + '/seen.txt', s)", {"/app/src/seen.txt": "file"}),
        ("const upload = multer({ dest: 'uploads/' })", "/app/uploads"),
        ("const dir = process.env.DATA_DIR || '/data'", "/data"),
        ("new Database(path.join(process.cwd(), 'shop.db'))", {"/app/shop.db": "file"}),
        ("app.use(express.static(path.join(__dirname, 'dist')))", {}),
        ("if (fs.existsSync(path.join(__dirname, 'local.json'))) {}", {}),
        ("// fs.mkdirSync(path.join(__dirname, 'data'))", {}),
        ("app.get('/uploads', list)", {}),
    ],
)
def test_paths_of_javascript(source: str, expected: str | dict[str, str]) -> None:
    assert written(source) == ({expected: "tree"} if isinstance(expected, str) else expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("BASE = Path(__file__).resolve().parent.parent\nM = BASE / 'media'", "/app/media"),
        ("LOG = os.path.join(os.path.dirname(__file__), 'logs', 'a.log')", "/app/src/logs"),
        ("BASE_DIR = os.path.dirname(__file__)\nD = os.path.join(BASE_DIR, 'db')", "/app/src/db"),
        ("D = Path(__file__).parent / 'output'", "/app/src/output"),
        ("M = os.path.join(BASE_DIR, 'uploads')", "/app/uploads"),
        ("with open('seen.txt', 'a') as out: pass", {"/app/seen.txt": "file"}),
        ("Path('state.json').write_text(s)", {"/app/state.json": "file"}),
        ("os.makedirs('made', exist_ok=True)", {"/app/made": "file"}),
        ("URL = 'sqlite:///shop.db'", {"/app/shop.db": "file"}),
        ("URL = 'sqlite+aiosqlite:////data/shop.db'", "/data"),
        ("D = os.environ.get('DATA', '/data')", "/data"),
        ("logging.FileHandler('/var/log/app.log')", {"/var/log/app.log": "file"}),
        ("with open('names.txt') as lines: pass", {}),
        ("half = total / 'x'", {}),
    ],
)
def test_paths_of_python(source: str, expected: str | dict[str, str]) -> None:
    found = written(source, directory("var/log"), name="app/src/main.py")
    assert found == ({expected: "tree"} if isinstance(expected, str) else expected)


def test_directory_that_is_there_is_written_where_the_source_writes() -> None:
    seeds = file("app/data/seed.json", "{}")
    here = "const D = path.join(__dirname, '..', 'data');"
    assert written(here, seeds) == {}
    assert written(f"{here} fs.writeFileSync(f, s)", seeds) == {"/app/data": "tree"}


@pytest.mark.parametrize(
    "source",
    [
        "app.use(require('less-middleware')(path.join(__dirname, 'public')))",
        "app.use(sassMiddleware({ src: a, dest: path.join(__dirname, 'public') }))",
        "fs.mkdirSync(path.join(__dirname, 'public'), { recursive: true })",
    ],
)
def test_directory_that_a_call_is_given_is_written(source: str) -> None:
    assert written(source, file("app/src/public/a.less")) == {"/app/src/public": "tree"}


def test_file_of_any_name_is_made_in_its_directory() -> None:
    source = "pipeline(part, fs.createWriteStream(`files/${name}`))"
    assert written(source, directory("app/files")) == {"/app/files/*": "file"}


def test_database_that_is_there_needs_its_journal() -> None:
    shop = file("app/shop.sqlite3", "SQLite")
    source = "DB = BASE_DIR / 'shop.sqlite3'"
    assert written(source, shop, name="app/settings.py") == {"/app/shop.sqlite3-journal": "file"}


def test_libraries_and_tests_say_nothing() -> None:
    source = "fs.writeFileSync('last.json', s)"
    assert written(source, name="app/node_modules/a/index.js") == {}
    assert written("open('x', 'w')", name="usr/lib/python3.11/mailbox.py") == {}
