"""Wiring on top (urls, celery, wsgi, people, demo) and the shared ground floor (access, api, health, settings)."""
