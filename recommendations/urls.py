"""The endpoints of lists and search, below /api/v1."""

from django.urls import path

from recommendations import views

urlpatterns = [
    path("recommendations/homepage", views.HomepageView.as_view(), name="recommend-homepage"),
    path("recommendations/product/<str:product_id>", views.ProductView.as_view(), name="recommend-product"),
    path("recommendations/cart", views.CartView.as_view(), name="recommend-cart"),
    path(
        "recommendations/frequently-bought-together/<str:product_id>",
        views.BoughtTogetherView.as_view(),
        name="recommend-bought-together",
    ),
    path("search", views.SearchView.as_view(), name="search"),
]
