"""What is counted, as SQL: one SELECT for each roll-up, over raw rows from `begin` to `end`, by parts of five minutes.

Every SELECT gives `starts_at`, the beginning of the part, then its table's dimensions and measures by name. What
several of them need is read once, into temporary tables. Impressions and clicks are in `told`: one row for each kind,
list and product, at its first occurrence.
"""
