"""A shop by Flask, on the application of the guide."""

import time
from collections.abc import Iterator

from flask import Response, request
from guide_app import app


@app.route("/orders/<int:number>", methods=["GET", "POST"])
def order(number: int) -> tuple[str, int]:
    return f"order {number}", 201 if request.method == "POST" else 200


@app.route("/broken")
def broken() -> str:
    raise RuntimeError("broken on purpose")


@app.route("/slow")
def slow() -> str:
    time.sleep(0.3)
    return "slow"


def parts() -> Iterator[bytes]:
    for _ in range(3):
        yield b"x" * 1000


def endless() -> Iterator[bytes]:
    while True:
        time.sleep(0.01)
        yield b"x" * 10_000


@app.route("/stream")
def stream() -> Response:
    return Response(parts())


@app.route("/feed")
def feed() -> Response:
    return Response(endless())
