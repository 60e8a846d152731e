import subprocess
import sys

import minify
import minify.pipeline


def test_the_public_names_are_these() -> None:
    assert minify.__all__ == [
        "Answer",
        "CheckError",
        "ClosureError",
        "Explanation",
        "ImageError",
        "MinifyError",
        "Options",
        "OutputError",
        "Result",
        "UsageError",
        "__version__",
        "explain",
        "minify",
        "plan",
        "why",
    ]
    assert all(hasattr(minify, name) for name in minify.__all__)
    # No module of the package may have the name of a function of its interface.
    assert callable(minify.minify)
    assert callable(minify.plan)
    assert callable(minify.explain)
    assert callable(minify.why)
    assert not hasattr(minify, "nothing")


def test_each_error_has_its_exit_code() -> None:
    codes = {
        error.__name__: error.exit_code
        for error in (
            minify.UsageError,
            minify.ClosureError,
            minify.ImageError,
            minify.OutputError,
            minify.CheckError,
        )
    }
    assert codes == {
        "UsageError": 2,
        "ClosureError": 3,
        "ImageError": 4,
        "OutputError": 5,
        "CheckError": 6,
    }


def test_importing_the_package_imports_little() -> None:
    program = "import minify, sys; print('docker' in sys.modules, 'minify.pipeline' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "False False\n"
