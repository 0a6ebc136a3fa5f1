"""Django's PostgreSQL backend, keeping Reemio's tables in a schema of their own."""
