"""Offline evaluation: held-out events, the real pipeline, named baselines, honest intervals."""
