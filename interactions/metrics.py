"""What ingestion counts about itself; docs/metrics.md says what each is good for."""

from prometheus_client import Counter

EVENTS = Counter("reemio_events", "Events taken in, by kind; repeats of an event_id apart.", ["kind", "outcome"])
