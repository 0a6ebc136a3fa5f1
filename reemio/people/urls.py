"""The users endpoints, below /api/v1."""

from django.urls import path, register_converter

from reemio.api.converters import ShopIdConverter
from reemio.people.views import IdentifyView, UserExportView, UserMergeView, UserView

register_converter(ShopIdConverter, "user_id")

urlpatterns = [
    path("interactions/identify", IdentifyView.as_view(), name="identify"),
    path("users/<user_id:user_id>/merge", UserMergeView.as_view(), name="user-merge"),
    path("users/<user_id:user_id>/export", UserExportView.as_view(), name="user-export"),
    path("users/<user_id:user_id>", UserView.as_view(), name="user"),
]
