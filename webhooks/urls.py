"""The URL that couriers call, included below /webhooks/."""

from django.urls import path

from webhooks.views import receive

app_name = "webhooks"

urlpatterns = [path("<slug:courier>/<str:account_id>/", receive, name="receive")]
