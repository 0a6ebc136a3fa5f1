"""What the engine counts about itself; docs/metrics.md says what each is good for."""

from prometheus_client import Counter, Histogram

# From a cached answer to one that a shopper would notice.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

LIST_SECONDS = Histogram(
    "reemio_list_seconds", "How long lists took to make.", ["placement", "strategy"], buckets=SECONDS
)
LISTS_SHORT = Counter("reemio_lists_short", "Lists that came out shorter than was asked for.", ["placement"])
SERVED_LISTS_LOST = Counter("reemio_served_lists_lost", "Served lists that could not be written down.")
RERANKED = Counter(
    "reemio_rerank", "Lists that came to the reranking stage, by where their scores came from.", ["relation", "outcome"]
)
