"""Real images for the tests, built by script from Debian packages, and engines to run them.

    recipes.RECIPES      which images there are
    build.archive(name)  the docker-archive of one, built once and cached outside the repository
    checks.CHECKS        what the program of an image must do, fat or slim
    engines.dockerd()    a private engine, stopped at the end

Nothing here knows anything of minify.
"""
