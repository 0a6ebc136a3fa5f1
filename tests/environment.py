"""A pytest plugin that is loaded first: it starts the private servers before Django reads its settings."""

import os

from reemio.bootstrap import prepare

os.environ.setdefault("APP_ENV", "test")
prepare()
# Each parallel worker has a Redis database of its own, and none is the demo's.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rsplit('?', 1)[0]}?db={1 + _worker % 15}"
