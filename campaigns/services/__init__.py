"""What can be done to campaigns, messages and choices: one verb per file."""
