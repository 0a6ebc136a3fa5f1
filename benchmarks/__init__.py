"""Measurements, as ratios against named references; never run as tests."""
