"""What the operator and `study run` cost, measured against bare loops that do nothing else."""
