"""Hypothesis draws the same examples in every run, so that a red build means a change and not an unlucky draw.

HYPOTHESIS_PROFILE=explore make tests    draws new ones, ten times as many where a test does not say how many
"""

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
