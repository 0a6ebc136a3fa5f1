"""E-mail at the right moment."""
