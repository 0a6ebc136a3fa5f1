"""What readers of mails open, below /mail/: links, unsubscribing, preferences."""

from django.urls import path

from campaigns import views

app_name = "mail"
urlpatterns = [
    path("c/<str:token>", views.click, name="click"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", views.preferences, name="preferences"),
]
