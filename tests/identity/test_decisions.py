"""Each decision once through the whole plan: the configuration and every changed entry."""

from __future__ import annotations

import pytest
from build.kit import minified
from closure.kit import planned
from filetree.kit import directory, file
from identity.kit import ACCOUNTS, shown

from minify.errors import ClosureError
from minify.image.jsontext import Json
from minify.pipeline import Options, plan_image
from minify.planning import Plan
