"""The same exchange by two independent WebSocket clients, compressed: `deflate.py HOST:PORT`."""

import asyncio
import json
import sys

import aiohttp
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

SIZES = [1, 100, 1_000, 1_024, 16_000, 60_000]


def payload(size):
    """JSON of about that size, with characters of more than one byte."""
    row = {"name": "Grüße", "price": 12.5, "n": size}
    return [row] * max(1, size // len(json.dumps(row, ensure_ascii=False).encode()))


async def exchange(name, send, receive):
    """Publishes each size over the connection and hears it over the same one."""
    assert (await receive())["type"] == "welcome"
    await send({"type": "subscribe", "id": 1, "channel": f"deflate:{name}"})
    assert (await receive())["type"] == "subscribed"
    for number, size in enumerate(SIZES, 2):
        data = payload(size)
        await send({"type": "publish", "id": number, "channel": f"deflate:{name}", "data": data})
        seen = {}
        while len(seen) < 2:
            event = await receive()
            seen[event["type"]] = event
        assert seen["published"]["id"] == number
        assert seen["message"]["data"] == data, f"{name}: another message of {size}"
    await send({"type": "history", "id": 99, "channel": f"deflate:{name}"})
    assert len((await receive())["messages"]) == len(SIZES)


async def by_websockets(address, **parameters):
    factory = ClientPerMessageDeflateFactory(**parameters)
    async with websockets.connect(f"ws://{address}/v1/socket", extensions=[factory], compression=None) as socket:
        agreed = socket.response.headers["Sec-WebSocket-Extensions"]
        assert agreed.startswith("permessage-deflate; server_no_context_takeover; client_no_context_takeover"), agreed
        if bits := parameters.get("server_max_window_bits"):
            assert f"server_max_window_bits={bits}" in agreed, agreed

        async def send(value):
            await socket.send(json.dumps(value, ensure_ascii=False))

        async def receive():
            return json.loads(await asyncio.wait_for(socket.recv(), 10))

        await exchange("-".join(["websockets", *parameters]), send, receive)


async def by_aiohttp(address):
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"http://{address}/v1/socket", compress=15) as socket:
            assert socket.compress, "no compression was agreed to"

            async def send(value):
                await socket.send_str(json.dumps(value, ensure_ascii=False))

            async def receive():
                return json.loads(await socket.receive_str(timeout=10))

            await exchange("aiohttp", send, receive)


async def bomb(address):
    """Sixteen mebibytes in sixteen kibibytes."""
    async with websockets.connect(f"ws://{address}/v1/socket", compression="deflate") as socket:
        await socket.recv()
        await socket.send(" " * (16 << 20))
        try:
            while True:
                await asyncio.wait_for(socket.recv(), 10)
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 1009, closed


async def main(address):
    await by_websockets(address)
    await by_websockets(address, server_max_window_bits=9)
    await by_websockets(address, server_max_window_bits=12, client_max_window_bits=10)
    await by_websockets(address, server_no_context_takeover=True, client_no_context_takeover=True)
    await by_aiohttp(address)
    await bomb(address)
    print("all exchanged")


asyncio.run(main(sys.argv[1]))
