"""Tests of `minify.filetree`; `kit` builds the layers, trees and images of other tests too."""
