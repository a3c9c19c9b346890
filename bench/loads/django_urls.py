"""Addresses of a shop by Django, for `bench.web_apps`."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def order(request: HttpRequest, number: int) -> HttpResponse:
    """An order."""
    return HttpResponse(f"order {number}")


urlpatterns = [path("orders/<int:number>", order)]
