"""The endpoints of `catalog`, below /api/v1."""

from django.urls import path

from catalog.views import InventoryView, ProductBatchView, ProductsView, ProductView

urlpatterns = [
    path("catalog/products", ProductsView.as_view(), name="products"),
    path("catalog/products/batch", ProductBatchView.as_view(), {"product_id": "batch"}, name="products-batch"),
    path("catalog/products/<str:product_id>", ProductView.as_view(), name="product"),
    path("catalog/products/<str:product_id>/inventory", InventoryView.as_view(), name="product-inventory"),
]
