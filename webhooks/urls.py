"""The URLs of the inbox. A host project includes this module under a prefix of its choice."""

from django.apps import apps
from django.urls import URLPattern, path, register_converter

app_name = "shipcrowd_webhooks"

urlpatterns: list[URLPattern] = []

# Without the app its models cannot be imported. Then couriers.E014 says so, and not a traceback.
if "shipcrowd_webhooks" in apps.app_configs:
    from webhooks.converters import TopicConverter
    from webhooks.views import answer_probe, receive

    register_converter(TopicConverter, "callback_topic")
    urlpatterns = [
        path("", answer_probe, name="probe"),
        path("<slug:courier>/<str:account_id>/", receive, name="receive"),
        path("<slug:courier>/<str:account_id>", receive),
        path(
            "<slug:courier>/<str:account_id>/<callback_topic:topic>/", receive, name="receive-topic"
        ),
        path("<slug:courier>/<str:account_id>/<callback_topic:topic>", receive),
    ]
