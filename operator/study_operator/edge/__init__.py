"""The operator's edge: what surrounds the controller in a cluster. It translates and hands over."""
