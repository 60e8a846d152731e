"""Application images as their authors write them: a Dockerfile, and how to see that it works.

`fixtures/apps/NAME/` has one each; its README.md says what stands in a `case.toml`. `build` makes
the image, `checks` performs what the case asks of one, whichever engine and flags it is run with.
Nothing in here knows minify.
"""
