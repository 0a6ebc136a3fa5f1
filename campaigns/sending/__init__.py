"""From a planned row to a mail that left, or a stored reason: claim, gate, intent, hand-off, outcome."""
