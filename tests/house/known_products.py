"""A hook of schemathesis: half of the paths that name a product name one that exists."""

import os
from typing import Any

import schemathesis

KNOWN = os.environ.get("REEMIO_KNOWN_PRODUCTS", "").split(",")


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any]) -> dict[str, Any]:
    """Replace by the length of what was made up, so that a run can be repeated."""
    length = len(str((path_parameters or {}).get("product_id", "")))
    return path_parameters | {"product_id": KNOWN[length % len(KNOWN)]} if length % 2 else path_parameters
