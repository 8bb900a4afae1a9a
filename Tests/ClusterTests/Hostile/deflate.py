"""permessage-deflate as others see it, in one of two ways:

deflate.py HOST:PORT         the same exchange by two independent WebSocket clients, compressed
deflate.py HOST:PORT ABOVE   what a node sends, frame by frame, and what zlib alone says that it contains; ABOVE is the
                             size in bytes from which on the node compresses
"""

import asyncio
import json
import random
import string
import sys
import zlib

import aiohttp
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

PLAIN, COMPRESSED = 0x81, 0xC1
OFFER = "permessage-deflate"
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


def noise(size):
    return "".join(random.choices(string.ascii_letters + string.digits, k=size))


def repeats():
    """Text that repeats itself 600 bytes, 5 KB and 20 KB later: each is within one more of the windows."""
    return noise(600) * 3 + noise(5_000) * 2 + noise(20_000) * 2


def inflate(payload, bits):
    """One message, with a window of that size and nothing in it before."""
    inflater = zlib.decompressobj(-bits)
    pieces, rest = [], payload + b"\x00\x00\xff\xff"
    # What is inflated at once need not be in the window: it is little.
    while piece := inflater.decompress(rest, 16):
        pieces.append(piece)
        rest = inflater.unconsumed_tail
    assert not inflater.unconsumed_tail, "not all of it was taken"
    return b"".join(pieces)


def fits(payload, bits):
    try:
        inflate(payload, bits)
    except zlib.error as error:
        assert "too far back" in str(error), error
        return False
    return True


class RawSocket:
    """A WebSocket by hand."""

    @classmethod
    async def open(cls, address, above, offer=None, bits=15):
        self = cls()
        self.above, self.offer, self.bits = above, offer, bits
        host, port = address.rsplit(":", 1)
        self.reader, self.writer = await asyncio.open_connection(host, int(port))
        extensions = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
        self.writer.write(
            (
                "GET /v1/socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                f"{extensions}\r\n"
            ).encode()
        )
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode()
        assert head.startswith("HTTP/1.1 101 "), head
        if offer:
            assert "server_no_context_takeover" in head, head
            assert (f"server_max_window_bits={bits}" in head) == (bits != 15), head
        else:
            assert "extensions" not in head.lower(), head
        await self.event("welcome")
        return self

    async def subscribe(self, channel):
        self.send({"type": "subscribe", "id": 1, "channel": channel})
        await self.event("subscribed")

    def send(self, value):
        payload = json.dumps(value).encode()
        if len(payload) < 126:
            head = bytes([PLAIN, 0x80 | len(payload)])
        else:
            head = bytes([PLAIN, 0x80 | 126]) + len(payload).to_bytes(2, "big")
        self.writer.write(head + bytes(4) + payload)

    async def frame(self):
        """The first byte and the payload of what comes next, but for pings."""
        while True:
            first, size = await asyncio.wait_for(self.reader.readexactly(2), 10)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            payload = await asyncio.wait_for(self.reader.readexactly(size), 10)
            if first != 0x89:
                return first, payload

    async def event(self, kind):
        """The next event: its frame, its payload, its text and what that means."""
        first, payload = await self.frame()
        assert first in (PLAIN, COMPRESSED), f"{kind}: a frame of {first:#x}"
        text = inflate(payload, self.bits) if first == COMPRESSED else payload
        expected = COMPRESSED if self.offer and len(text) >= self.above else PLAIN
        assert first == expected, f"{kind}: {len(text)} bytes in a frame of {first:#x}"
        value = json.loads(text)
        assert value["type"] == kind, value
        return first, payload, text, value


async def sizes(address, above):
    """What is as large as the limit is compressed, and nothing that is smaller."""
    publisher = await RawSocket.open(address, above)
    reader = await RawSocket.open(address, above, OFFER)
    await reader.subscribe("frames:sizes")

    async def publish(data):
        publisher.send({"type": "publish", "channel": "frames:sizes", "data": data})
        first, payload, text, event = await reader.event("message")
        assert event["data"] == data
        return first, payload, text

    _, _, text = await publish("")
    around = len(text)
    for size in [above - 1, above, above + 1, above - 1, above]:
        first, payload, text = await publish("a" * (size - around))
        assert len(text) == size, len(text)
        assert first == (COMPRESSED if size >= above else PLAIN), f"{size}: {first:#x}"
        if first == COMPRESSED:
            assert len(payload) < size / 2, len(payload)
    # Whatever is sent in one go, and what is no message.
    mixed = ["", "b" * above, "c", "d" * 2 * above, "e"]
    for data in mixed:
        publisher.send({"type": "publish", "channel": "frames:sizes", "data": data})
    for data in mixed:
        assert (await reader.event("message"))[3]["data"] == data
    reader.send({"type": "history", "id": 2, "channel": "frames:sizes"})
    first, _, _, history = await reader.event("history")
    assert first == COMPRESSED and len(history["messages"]) == 6 + len(mixed)


async def windows(address, above):
    """Each has the window that it agreed to, uses it, and finds all of a message in that message."""
    channel = "frames:windows"
    publisher = await RawSocket.open(address, above)
    plain = await RawSocket.open(address, above)
    readers = [
        await RawSocket.open(address, above, f"{OFFER}; server_max_window_bits={bits}" if bits < 15 else OFFER, bits)
        for bits in [9, 12, 15]
        for _ in range(4)
    ]
    for socket in [plain, *readers]:
        await socket.subscribe(channel)
    data = repeats()
    # The second time all of it has been sent before.
    for _ in range(3):
        publisher.send({"type": "publish", "channel": channel, "data": data})
        _, _, sent, event = await plain.event("message")
        assert event["data"] == data
        payloads = {9: set(), 12: set(), 15: set()}
        for socket in readers:
            first, payload, text, _ = await socket.event("message")
            assert first == COMPRESSED and text == sent
            payloads[socket.bits].add(payload)
        # It is compressed once for all who agreed to the same.
        assert all(len(same) == 1 for same in payloads.values()), {bits: len(same) for bits, same in payloads.items()}
        small, middle, large = (payloads[bits].pop() for bits in [9, 12, 15])
        assert fits(small, 9)
        assert fits(middle, 12) and not fits(middle, 9)
        assert fits(large, 15) and not fits(large, 12)
        assert len(small) > len(middle) > len(large)


async def exchanges(address):
    await by_websockets(address)
    await by_websockets(address, server_max_window_bits=9)
    await by_websockets(address, server_max_window_bits=12, client_max_window_bits=10)
    await by_websockets(address, server_no_context_takeover=True, client_no_context_takeover=True)
    await by_aiohttp(address)
    await bomb(address)
    print("all exchanged")


async def frames(address, above):
    await sizes(address, above)
    await windows(address, above)
    print("all as agreed")


asyncio.run(frames(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else exchanges(sys.argv[1]))
