"""Who did what: shoppers, their events, and the ways by which events come in."""
