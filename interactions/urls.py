"""The endpoints of `interactions`, below /api/v1."""

from django.urls import path, register_converter

from interactions.refund_views import OrderRefundsView
from interactions.views import InteractionBatchView, InteractionsView
from reemio.api.converters import ShopIdConverter

register_converter(ShopIdConverter, "order_id")

urlpatterns = [
    path("interactions", InteractionsView.as_view(), name="interactions"),
    path("interactions/batch", InteractionBatchView.as_view(), name="interactions-batch"),
    path("orders/<order_id:order_id>/refunds", OrderRefundsView.as_view(), name="order-refunds"),
]
