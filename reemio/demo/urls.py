"""The pages of the demo shop, below /"""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
