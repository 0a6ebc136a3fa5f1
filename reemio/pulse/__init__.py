"""The pulse of the background tasks: when each last ran and how it ended, whichever worker ran it."""
