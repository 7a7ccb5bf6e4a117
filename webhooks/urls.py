"""The URLs of the inbox. A host project includes this module under a prefix of its choice."""

from django.urls import path

from webhooks.views import answer_probe, receive

app_name = "webhooks"

urlpatterns = [
    path("", answer_probe, name="probe"),
    path("<slug:courier>/<str:account_id>/", receive, name="receive"),
]
