"""What a case.toml may say; and every one that is there can be read."""

from __future__ import annotations

import pytest

from apps.case import Case, CaseError, Check, Http, Run, Service, load, names, parse

HEAD = 'about = "an application"\nwritten = "before"\n'
RUN = '[[check]]\nname = "it runs"\nrun = { arguments = ["a"], output = "^b$" }\n'


def test_case_is_read_into_frozen_values() -> None:
    text = (
        HEAD
        + "long = true\n"
        + '[service]\nport = 80\nenvironment = { A = "b" }\nvolumes = ["/data"]\n'
        + RUN
        + '[[check]]\nname = "page"\nwithin = 2\nhttp = { status = 404, headers = { A = "b" } }\n'
    )
    assert parse("one", text) == Case(
        name="one",
        about="an application",
        written="before",
        long=True,
        service=Service(port=80, environment={"A": "b"}, volumes=("/data",)),
        check=(
            Check("it runs", run=Run(arguments=("a",), output="^b$")),
            Check("page", within=2.0, http=Http(status=404, headers={"A": "b"})),
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + RUN + "known = 1\n", "case.toml: check: nobody reads known; known: name, within"),
        (HEAD + 'size = "a"\n' + RUN, "case.toml: nobody reads size"),
        (HEAD, "missing 1 required positional argument: 'check'"),
        (HEAD.replace("before", "now") + RUN, "written: 'now' is not typing.Literal"),
        (HEAD + 'long = "yes"\n' + RUN, "long: 'yes' is not <class 'bool'>"),
        (HEAD + "check = []\n", "it checks nothing"),
        (HEAD + '[[check]]\nname = "a"\n', "check 'a' has 0 kinds, not one"),
        (HEAD + RUN + 'log = { expect = "a" }\n', "check 'it runs' has 2 kinds, not one"),
        (HEAD + '[[check]]\nname = "a"\nreload = {}\n', "check 'a' wants a [service]"),
        (HEAD + RUN + "port =\n", "Invalid value"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse("one", text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("one/case.toml: ")


@pytest.mark.parametrize("name", names())
def test_case_of_the_fixtures_is_read(name: str) -> None:
    case = load(name)
    assert (case.directory / "Dockerfile").is_file()
    assert len({check.name for check in case.check}) == len(case.check)
