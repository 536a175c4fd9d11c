"""An example trainer: a real network on real data, with the hyperparameters that a tuning study is about.

One CPU trial uses one core, so that the trials of a study run beside each other instead of against each other. XLA
reads this when JAX is first imported, which is after this file.
"""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
