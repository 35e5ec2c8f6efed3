"""What every test shares: Hypothesis repeats its examples in a plain run and searches in a soak."""

from hypothesis import settings

settings.register_profile("plain", derandomize=True, deadline=None)
settings.register_profile("soak", deadline=None, max_examples=5_000)
settings.load_profile("plain")
