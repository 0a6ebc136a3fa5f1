"""Training: events out of the database as arrays, sparse matrix work, and whole versions back into it."""
