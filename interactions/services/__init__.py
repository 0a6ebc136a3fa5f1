"""What is done with events: recording, importing, taking in the inbox, merging and erasing. One verb per module."""
