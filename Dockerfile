# syntax=docker/dockerfile:1
# One image for web, worker, beat and migrations: docker run reemio deploy/start web | worker | beat | migrate | manage …

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
# Without an index of its own, torch would come with gigabytes of libraries for GPUs that nothing here uses.
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
WORKDIR /app
COPY pyproject.toml requirements.lock ./
RUN pip install -c requirements.lock --index-url "$TORCH_INDEX_URL" torch \
    && pip install -c requirements.lock '.[observability]'
COPY . .
# The embedding model is in a wheel, so it is in the image: no start needs the network. Static files are made here, since
# the root file system may be read-only later; the key signs nothing.
RUN APP_ENV=production SECRET_KEY=only-for-this-build-step-where-nothing-is-signed-at-all \
      DATABASE_URL=postgresql:///none REDIS_URL=redis://localhost/0 python manage.py collectstatic --no-input \
    && python -m compileall -q . \
    && rm -rf tests benchmarks

FROM python:3.11-slim-bookworm AS run
RUN groupadd --gid 10001 reemio && useradd --uid 10001 --gid reemio --no-create-home --home-dir /tmp reemio \
    && install -d -o reemio -g reemio /var/lib/reemio
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    APP_ENV=production HOST=0.0.0.0 PORT=8000 HOME=/tmp REEMIO_STATE_DIR=/var/lib/reemio
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# /tmp has to be writable (an emptyDir, a tmpfs); nothing else does. Models that are trained here go to the volume.
VOLUME /var/lib/reemio
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
CMD ["deploy/start", "web"]
