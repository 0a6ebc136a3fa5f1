"""The private PostgreSQL and Redis that serve where no others are configured: real servers out of wheels."""
