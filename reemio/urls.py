"""Every URL of the service, and which app answers it."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from catalog import embedding
from recommendations import reranking
from reemio import health
from reemio.api.errors import unknown_endpoint
from reemio.gauges import GAUGES


def _embedding_model() -> str | None:
    """Tell whether the model is there; searches go by words alone where it cannot be loaded."""
    if embedding.failure():
        return health.Lacking("cannot be loaded")
    return None if embedding.is_loaded() else "not loaded"


READINESS: dict[str, health.Check] = {
    "database": health.database,
    "cache": health.cache,
    "migrations": health.MigrationsApplied(),
    "embedding_model": _embedding_model,
}

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz(READINESS, {"reranking": reranking.standing})),
    path("metrics", health.metrics(GAUGES)),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/v1/", include("recommendations.urls")),
    path("api/v1/", include("interactions.urls")),
    path("api/v1/", include("reemio.people.urls")),
    path("api/v1/", include("catalog.urls")),
    path("api/v1/", include("campaigns.api")),
    path("api/v1/", include("analytics.urls")),
    re_path("^api(?:/|$)", unknown_endpoint),
    path("mail/", include("campaigns.urls")),
    path("anymail/", include("anymail.urls")),
    *(
        [path("", include("reemio.demo.urls"))]
        if settings.REEMIO_DEMO_SHOP
        else [path("", RedirectView.as_view(pattern_name="admin:index"))]
    ),
]

handler400 = "reemio.api.errors.bad_request"
handler403 = "reemio.api.errors.permission_denied"
handler404 = "reemio.api.errors.not_found"
handler500 = "reemio.api.errors.server_error"
