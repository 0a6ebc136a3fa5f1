"""Retention: what has served its time goes, night by night, kind by kind; the figures that were made of it stay."""
