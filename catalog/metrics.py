"""What the catalogue tells `/metrics`."""

from prometheus_client import Gauge

MODEL_LOADED = Gauge(
    "reemio_embedding_model_loaded",
    "1 where the web process that last wanted the embedding model has it, 0 where it could not load it.",
    multiprocess_mode="mostrecent",
)
