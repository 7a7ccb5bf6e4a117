"""The URL that couriers call. A host project includes this module under a prefix of its choice."""

from django.urls import path

from webhooks.views import receive

app_name = "webhooks"

urlpatterns = [path("<slug:courier>/<str:account_id>/", receive, name="receive")]
