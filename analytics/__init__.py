"""What happened, and what it earned."""
