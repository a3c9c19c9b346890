"""The ``/stats/`` page for Django: ``path("stats/", include("tallystick.sensors.web.django_stats"))``.

Whoever reaches it sees how many requests there were, how long they took and how many failed, and no names. With
``TALLYSTICK_STATS_FOR = "staff"`` in the settings only staff does.
"""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from tallystick.sensors.web.stats import Stats
from tallystick.sensors.web.stats_page import respond

app_name = "tallystick"
_stats = Stats()


def _page(request: HttpRequest, name: str = "") -> HttpResponse:
    """The page, its files and its numbers."""
    for_whom = getattr(settings, "TALLYSTICK_STATS_FOR", "everyone")
    if for_whom != "everyone" and not getattr(getattr(request, "user", None), "is_staff", False):
        raise PermissionDenied
    gzips = "gzip" in request.headers.get("accept-encoding", "")
    answer = respond(_stats, name, request.META.get("QUERY_STRING", ""), gzips=gzips)
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)


page = require_safe(_page)
urlpatterns = [path("", page, name="stats"), path("<path:name>", page, name="stats-files")]
