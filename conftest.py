"""Where pytest finds the project's shared fixtures, and how much patience the tests have."""

from hypothesis import settings

pytest_plugins = ["tests.cluster.fixtures"]

# A busy machine is slow, and slowness is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
