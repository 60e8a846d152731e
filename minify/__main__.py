"""`python -m minify` and the console script."""

import sys


def main() -> None:
    """Runs the command line; Ctrl-C ends it with 130 even while it is being imported."""
    try:
        from minify.cli import main as run  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
