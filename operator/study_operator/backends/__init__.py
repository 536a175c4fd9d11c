"""Backends: what keeps trials and runs them. The port, and its implementations on a cluster, on a laptop and in memory."""
