"""study-operator: deep learning tuning studies on Kubernetes, and on a laptop with the same file."""
