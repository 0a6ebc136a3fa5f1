"""The endpoints of `analytics`, below /api/v1."""

from django.urls import path

from analytics.views import PerformanceView, TopPurchasedView, TopRecommendedView, TopViewedView

urlpatterns = [
    path("analytics/products/top-viewed", TopViewedView.as_view(), name="top-viewed"),
    path("analytics/products/top-recommended", TopRecommendedView.as_view(), name="top-recommended"),
    path("analytics/products/top-purchased", TopPurchasedView.as_view(), name="top-purchased"),
    path("analytics/recommendations/performance", PerformanceView.as_view(), name="performance"),
]
