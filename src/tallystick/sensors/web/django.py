"""`Middleware` for Django, sync and async: what its views answer is counted by the name that the resolver has for them.

In the settings, before all others, so that their time counts as well::

    MIDDLEWARE = ["tallystick.sensors.web.django.Middleware", ...]
    TALLYSTICK_OWNER = "team-shop"  # if you like
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tallystick.sensors.web.parts import AsyncParts, Parts, whole_number
from tallystick.sensors.web.traffic import Traffic


class Middleware:
    """Counts requests, however Django is served."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._traffic = Traffic(getattr(settings, "TALLYSTICK_OWNER", ""))
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        visit = _Visit(self._traffic, request)
        if self._is_async:
            return self._awaited(request, visit)
        try:
            response = self._get_response(request)
        except BaseException as error:  # Django makes answers of exceptions before: this one ends the process
            visit.end(failed=isinstance(error, Exception))
            raise
        return visit.answered(response)

    async def _awaited(self, request: HttpRequest, visit: "_Visit") -> HttpResponseBase:
        try:
            response = await self._get_response(request)
        except asyncio.CancelledError:
            visit.end(cut=True)
            raise
        except BaseException as error:
            visit.end(failed=isinstance(error, Exception))
            raise
        return visit.answered(response)


class _Visit:
    """One request, until the end of its answer."""

    def __init__(self, traffic: Traffic, request: HttpRequest) -> None:
        self._traffic = traffic
        self._request = request
        self._ended = False
        self.status = self.sent = 0
        self._began = traffic.begin()

    def answered(self, response: HttpResponseBase) -> HttpResponseBase:
        """Count the answer, now or when its last part is sent."""
        self.status = response.status_code
        if not response.streaming:
            self.sent = len(response.content)
            self.end()
        elif getattr(response, "file_to_stream", None) is not None:
            self.sent = whole_number(response.headers.get("content-length", ""))  # a server may send it by the kernel
            self.end()
        elif response.is_async:
            response.streaming_content = AsyncParts(aiter(response.streaming_content), self)
        else:
            response.streaming_content = Parts(iter(response.streaming_content), self)
        return response

    def end(self, *, failed: bool = False, cut: bool = False) -> None:
        """Count it, once."""
        if self._ended:
            return
        self._ended = True
        request = self._request
        self._traffic.end(
            self._began,
            request.method or "",
            view_of(request),
            self.status,
            sent=self.sent,
            received=whole_number(request.META.get("CONTENT_LENGTH") or ""),
            failed=failed,
            cut=cut and request.method != "HEAD",
        )


def view_of(request: HttpRequest) -> str:
    """The name that the resolver has for the view of a request, ``shop:cart``, else its function; never its path."""
    match = request.resolver_match
    return "" if match is None else str(match.view_name or "")
