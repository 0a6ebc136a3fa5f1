"""Every URL of the service, and which app answers it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("recommendations.urls")),
    path("api/v1/", include("interactions.urls")),
    path("api/v1/", include("reemio.people.urls")),
    path("api/v1/", include("catalog.urls")),
    path("api/v1/", include("analytics.urls")),
    path("", include("reemio.demo.urls")),
]
