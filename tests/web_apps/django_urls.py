"""Addresses of a shop by Django: what the guide says, and the shop's own; half of its views are asynchronous."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from guide_urls import urlpatterns as of_the_guide


async def order(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f"order {number}", status=201 if request.method == "POST" else 200)


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


def slow(request: HttpRequest) -> HttpResponse:
    time.sleep(0.3)
    return HttpResponse("slow")


def parts() -> Iterator[bytes]:
    for _ in range(3):
        yield b"x" * 1000


async def async_parts() -> AsyncIterator[bytes]:
    for part in parts():
        yield part


def endless() -> Iterator[bytes]:
    while True:
        time.sleep(0.01)
        yield b"x" * 10_000


async def async_endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0.01)
        yield b"x" * 10_000


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(async_parts() if isinstance(request, ASGIRequest) else parts())


def feed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(async_endless() if isinstance(request, ASGIRequest) else endless())


urlpatterns = [
    *of_the_guide,
    path("orders/<int:number>", order, name="order"),
    path("broken", broken, name="broken"),
    path("slow", slow, name="slow"),
    path("stream", stream, name="stream"),
    path("feed", feed, name="feed"),
]
