"""`python -m minify` and the console script."""

from minify.cli import main

if __name__ == "__main__":
    main()
