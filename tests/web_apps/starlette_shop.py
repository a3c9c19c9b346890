"""A shop by Starlette, on the application of the guide."""

import asyncio
from collections.abc import AsyncIterator

from guide_app import app
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket


async def order(request: Request) -> Response:
    await request.body()
    return Response(f"order {request.path_params['number']}", 201 if request.method == "POST" else 200)


async def broken(request: Request) -> Response:
    raise RuntimeError("broken on purpose")


async def slow(request: Request) -> Response:
    await asyncio.sleep(0.3)
    return Response("slow")


async def parts() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"x" * 1000


async def endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0.01)
        yield b"x" * 10_000


async def stream(request: Request) -> Response:
    return StreamingResponse(parts())


async def feed(request: Request) -> Response:
    return StreamingResponse(endless())


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())


async def closed(websocket: WebSocket) -> None:
    await websocket.close()


app.router.routes += [WebSocketRoute("/chat", chat), WebSocketRoute("/closed", closed)]
app.add_route("/orders/{number:int}", order, methods=["GET", "POST"])
app.add_route("/broken", broken)
app.add_route("/slow", slow)
app.add_route("/stream", stream)
app.add_route("/feed", feed)
