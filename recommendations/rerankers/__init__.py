"""Training a cross-encoder on the shop's own pairs: what to learn from, learning it, showing where it helps."""
