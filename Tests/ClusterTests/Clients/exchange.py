"""One exchange with two nodes, by a client library that is not ours: exchange.py KIND LIBRARY NODE OTHER

KIND is websocket or sse, the nodes are addresses like 127.0.0.1:8081. Ends with 0 when all was as it should be.
"""

import json
import secrets
import sys
import urllib.request

LIMIT = 20  # seconds for whatever is waited for


class WrongExchange(Exception):
    pass


def expect(holds, what):
    if not holds:
        raise WrongExchange(what)


class Closed(Exception):
    """The connection was closed with this code."""

    def __init__(self, code):
        super().__init__(f"closed with {code}")
        self.code = code


# --- WebSocket libraries, each as the same few calls


class Websockets:
    def __init__(self, node, query=""):
        from websockets.sync.client import connect

        self.socket = connect(f"ws://{node}/v1/socket{query}", open_timeout=LIMIT, max_size=None)

    def send(self, data):
        self.guarded(self.socket.send, data)

    def send_parts(self, parts):
        self.guarded(self.socket.send, parts)

    def receive(self):
        return self.guarded(self.socket.recv, LIMIT)

    def ping(self):
        expect(self.socket.ping(b"?").wait(LIMIT), "a pong")

    def close(self):
        self.socket.close(1000, "done")
        return self.socket.close_code

    def guarded(self, call, *arguments):
        from websockets.exceptions import ConnectionClosed

        try:
            return call(*arguments)
        except ConnectionClosed as closed:
            raise Closed(closed.rcvd.code if closed.rcvd else None)


class WebsocketClient:
    def __init__(self, node, query=""):
        import websocket

        self.library = websocket
        self.socket = websocket.create_connection(f"ws://{node}/v1/socket{query}", timeout=LIMIT)

    def send(self, data):
        if isinstance(data, str):
            self.socket.send(data)
        else:
            self.socket.send_binary(data)

    def send_parts(self, parts):
        codes = [self.library.ABNF.OPCODE_TEXT] + [self.library.ABNF.OPCODE_CONT] * (len(parts) - 1)
        for index, (code, part) in enumerate(zip(codes, parts)):
            last = index == len(parts) - 1
            self.socket.send_frame(self.library.ABNF.create_frame(part, code, int(last)))

    def receive(self):
        code, data = self.socket.recv_data()
        if code == self.library.ABNF.OPCODE_CLOSE:
            raise Closed(int.from_bytes(data[:2], "big") if data else None)
        return data.decode()

    def ping(self):
        self.socket.ping("?")
        code, data = self.socket.recv_data(control_frame=True)
        expect((code, data) == (self.library.ABNF.OPCODE_PONG, b"?"), "a pong")

    def close(self):
        self.socket.send_close(1000, b"done")
        try:
            while True:
                self.receive()
        except Closed as closed:
            self.socket.shutdown()
            return closed.code


# --- libraries for server-sent events: open yields (event, data, id)


def sseclient_py(url, headers):
    import requests
    import sseclient

    with requests.get(url, headers=headers, stream=True, timeout=LIMIT) as answer:
        if answer.status_code != 200:
            raise WrongAnswer(answer.status_code, answer.headers, answer.content)
        for event in sseclient.SSEClient(answer).events():
            yield event.event, event.data, event.id


def httpx_sse(url, headers):
    import httpx
    from httpx_sse import connect_sse

    with httpx.Client(timeout=LIMIT) as client, connect_sse(client, "GET", url, headers=headers) as source:
        if source.response.status_code != 200:
            raise WrongAnswer(source.response.status_code, source.response.headers, source.response.read())
        # It also yields a `retry:` that stands alone.
        for event in filter(lambda event: event.data, source.iter_sse()):
            yield event.event, event.data, event.id


class WrongAnswer(Exception):
    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body!r}")
        self.status, self.type = status, headers.get("content-type")
        self.code = json.loads(body).get("code")


# --- the exchange


def publish(node, channel, numbers):
    for number in numbers:
        request = urllib.request.Request(
            f"http://{node}/v1/channels/{channel}/messages",
            json.dumps({"n": number, "text": "h\u00e9 \u20ac \U0001f600"}, ensure_ascii=False).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            expect(answer.status == 201, f"published, not {answer.status}")


def check_messages(messages, numbers, after):
    """They are these, in order, and their cursors follow on the one before."""
    said = [message["data"]["n"] for message in messages]
    expect(said == list(numbers), f"the messages {list(numbers)}, not {said}")
    epoch, offset = after.split(".")
    for step, message in enumerate(messages, 1):
        expect(message["cursor"] == f"{epoch}.{int(offset) + step}", f"{message['cursor']} after {after}")
        expect(message["data"].get("text") in (None, "h\u00e9 \u20ac \U0001f600"), "the text as it was")


class Talk:
    """A WebSocket, and the JSON on it."""

    def __init__(self, library, node, query=""):
        self.socket = library(node, query)
        self.welcome = self.next()
        expect(self.welcome["type"] == "welcome", "a welcome first")

    def next(self):
        return json.loads(self.socket.receive())

    def say(self, **command):
        self.socket.send(json.dumps(command))

    def ask(self, kind, **command):
        """What answers the command, which is of that kind; what came before it."""
        self.say(**command)
        before = []
        while True:
            event = self.next()
            if event.get("id") == command["id"]:
                expect(event["type"] == kind, f"{kind} for {command}, not {event}")
                return event, before
            before.append(event)

    def closed_with(self):
        try:
            while True:
                self.next()
        except Closed as closed:
            return closed.code


def websocket(library, node, other):
    channel = f"libraries:{secrets.token_hex(4)}"
    talk = Talk(library, node)
    subscribed, _ = talk.ask("subscribed", type="subscribe", id=1, channel=channel)
    expect(subscribed["cursor"].endswith(".0") and not subscribed["resumed"], f"an empty log: {subscribed}")

    messages = []
    for number in range(20):
        published, before = talk.ask("published", type="publish", id=100 + number, channel=channel, data={"n": number})
        messages += before
    while len(messages) < 20:
        messages.append(talk.next())
    check_messages(messages, range(20), subscribed["cursor"])
    expect(messages[-1]["cursor"] == published["cursor"], "the cursor that was answered")
    talk.socket.ping()
    talk.socket.send_parts(['{"type":"pi', 'ng","id', '":7}'])
    expect(talk.next() == {"type": "pong", "id": 7}, "an answer to a message in fragments")
    for code, command in [
        ("unknown_type", {"type": "dance", "id": 11}),
        ("bad_channel", {"type": "subscribe", "id": 12, "channel": "a b"}),
        ("bad_cursor", {"type": "subscribe", "id": 13, "channel": channel + ":2", "since": "nonsense"}),
        ("already_subscribed", {"type": "subscribe", "id": 14, "channel": channel}),
        ("not_subscribed", {"type": "unsubscribe", "id": 15, "channel": channel + ":2"}),
    ]:
        error, _ = talk.ask("error", **command)
        expect(error["code"] == code and error["message"], f"{code}, not {error}")
    talk.socket.send("{")
    error = talk.next()
    expect((error["type"], error["code"], "id" in error) == ("error", "bad_json", False), f"bad_json: {error}")
    expect(talk.socket.close() == 1000, "its own code for a goodbye")

    # What it missed comes at another node, and then goes on.
    publish(other, channel, range(20, 40))
    back = Talk(library, other, f"?session={talk.welcome['session']}")
    expect(back.welcome["session"] == talk.welcome["session"], "the session again")
    last = messages[-1]["cursor"]
    subscribed, _ = back.ask("subscribed", type="subscribe", id=1, channel=channel, since=last)
    expect(subscribed["resumed"] and subscribed["cursor"] == last, f"resumed: {subscribed}")
    publish(node, channel, range(40, 45))
    check_messages([back.next() for _ in range(25)], range(20, 45), last)
    subscribed, _ = back.ask("subscribed", type="subscribe", id=2, channel=channel + ":3", since="00000000.7")
    gap = back.next()
    expect(not subscribed["resumed"] and (gap["type"], gap["reason"]) == ("gap", "reset"), f"a gap: {gap}")
    expect(back.socket.close() == 1000, "its own code for a goodbye")

    binary = Talk(library, node)
    binary.socket.send(b"\x00\x01")
    expect(binary.closed_with() == 1003, "1003 for a binary message")
    wrong = Talk(library, node)
    for _ in range(10):
        wrong.socket.send("nonsense")
    expect(wrong.closed_with() == 1008, "1008 for the tenth bad message")
    large = Talk(library, node)
    large.socket.send(json.dumps({"type": "publish", "id": 1, "channel": channel, "data": "x" * 200_000}))
    expect(large.closed_with() == 1009, "1009 for a message too large")


def stream(library, node, channels, count, since="", last=None):
    """The welcome of a stream and the next events that are no comment."""
    headers = {"Last-Event-ID": last} if last else {}
    events = library(f"http://{node}/v1/stream?channels={channels}{since}", headers)
    name, data, identity = next(events)
    expect(name == "welcome" and identity, f"a welcome with an id first, not {name}")

    def rest():
        for _ in range(count):
            name, data, identity = next(events)
            event = json.loads(data)
            expect(name == ("message" if event["type"] == "message" else event["type"]), f"the name of {event}")
            yield event, identity
        events.close()

    return identity, rest()


def sse(library, node, other):
    channel = f"libraries:{secrets.token_hex(4)}"
    first, events = stream(library, node, channel, 20)
    expect(first.startswith(f"{channel}@") and first.endswith(".0"), f"a position in an empty log, not {first}")
    publish(other, channel, range(20))
    heard = list(events)
    check_messages([event for event, _ in heard], range(20), first.split("@")[1])
    for event, identity in heard:
        expect(identity == f"{channel}@{event['cursor']}", f"the id is the position, not {identity}")

    publish(node, channel, range(20, 40))
    last = heard[-1][1]
    resumed, events = stream(library, other, channel, 25, last=last)
    expect(resumed == last, f"it goes on at {last}, not {resumed}")
    publish(node, channel, range(40, 45))
    check_messages([event for event, _ in events], range(20, 45), last.split("@")[1])
    _, events = stream(library, other, channel, 45, since="&since=start")
    check_messages([event for event, _ in events], range(45), first.split("@")[1])
    _, events = stream(library, node, channel, 1, last=f"{channel}@00000000.7")
    ((gap, _),) = events
    expect((gap["type"], gap["reason"]) == ("gap", "reset"), f"a gap: {gap}")

    both, events = stream(library, node, f"{channel},{channel}:2", 2)
    publish(other, channel, [45])
    first = next(events)
    publish(other, channel + ":2", [46])
    second = next(events)
    expect([event["data"]["n"] for event, _ in (first, second)] == [45, 46], "messages of two channels")
    names = [[part.split("@")[0] for part in place.split(",")] for place in (both, first[1], second[1])]
    expect(names == [[channel, channel + ":2"]] * 3, f"the id names both channels, not {names}")
    events.close()

    for query, headers, code in [
        ("channels=a%20b", {}, "bad_channel"),
        ("", {}, "bad_channel"),
        (f"channels={channel}", {"Last-Event-ID": "nonsense"}, "bad_cursor"),
        (f"channels={channel}&presence=maybe", {}, "bad_request"),
    ]:
        try:
            next(library(f"http://{node}/v1/stream?{query}", headers))
            raise WrongExchange(f"a refusal of {query} {headers}")
        except WrongAnswer as answer:
            expect((answer.status, answer.code) == (400, code), f"{code} for {query}, not {answer}")
            expect(answer.type == "application/problem+json", f"a problem, not {answer.type}")


EXCHANGES = {
    ("websocket", "websockets"): (websocket, Websockets),
    ("websocket", "websocket-client"): (websocket, WebsocketClient),
    ("sse", "sseclient-py"): (sse, sseclient_py),
    ("sse", "httpx-sse"): (sse, httpx_sse),
}

if __name__ == "__main__":
    kind, name, *nodes = sys.argv[1:]
    exchange, library = EXCHANGES[kind, name]
    exchange(library, *nodes)
