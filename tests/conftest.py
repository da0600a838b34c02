"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# In CI the same examples every time: a law that breaks on a new one is found at a desk, not at somebody's landing.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
