"""The endpoints of `interactions`, below /api/v1."""

from django.urls import path

from interactions.views import InteractionBatchView, InteractionsView

urlpatterns = [
    path("interactions", InteractionsView.as_view(), name="interactions"),
    path("interactions/batch", InteractionBatchView.as_view(), name="interactions-batch"),
]
