"""A shop by FastAPI, with the lines that the guide has for Starlette."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse

from tallystick.sensors.web import AsgiMiddleware

app = FastAPI()
app.add_middleware(AsgiMiddleware, owner="team-shop")


@app.get("/orders/{number}")
async def order(number: int) -> Response:
    return Response(f"order {number}")


@app.post("/orders/{number}")
async def new_order(number: int, request: Request) -> Response:
    await request.body()
    return Response(f"order {number}", 201)


@app.get("/broken")
async def broken() -> Response:
    raise RuntimeError("broken on purpose")


@app.get("/slow")
async def slow() -> Response:
    await asyncio.sleep(0.3)
    return Response("slow")


async def parts() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"x" * 1000


async def endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0.01)
        yield b"x" * 10_000


@app.get("/stream")
async def stream() -> Response:
    return StreamingResponse(parts())


@app.get("/feed")
async def feed() -> Response:
    return StreamingResponse(endless())
