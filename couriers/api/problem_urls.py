"""The URLs that the `type` of problems stands for."""

from django.urls import path

from couriers.api.problem_page import problem_page

app_name = "couriers_problems"

urlpatterns = [
    path("<slug:name>", problem_page, name="problem"),
    path("<slug:name>/", problem_page),
]
