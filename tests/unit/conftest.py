"""Property tests here are the same on every run and every machine."""

from hypothesis import settings

settings.register_profile("house", derandomize=True, database=None, deadline=None, max_examples=60)
settings.load_profile("house")
