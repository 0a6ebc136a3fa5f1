"""Counting: raw rows become roll-ups. `run` has the order, `sources` what is counted, `tables` how it is stored."""
