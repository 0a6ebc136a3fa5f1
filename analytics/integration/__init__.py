"""Is the shop integrated well? Small named checks of the data itself, each with examples of what is wrong."""
