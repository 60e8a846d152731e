"""Tests of `minify.image`."""
