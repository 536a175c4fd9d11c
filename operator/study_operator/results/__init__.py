"""Results: what trials reported, what came of them, and how they rank. Pure."""
