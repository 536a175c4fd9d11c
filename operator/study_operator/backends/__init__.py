"""Backends: what keeps trials and runs them. The port, and its three implementations."""
