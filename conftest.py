"""Where pytest finds the project's shared fixtures."""

pytest_plugins = ["tests.cluster.fixtures"]
