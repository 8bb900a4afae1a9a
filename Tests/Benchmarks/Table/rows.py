"""The rows of the table: each measures, beside the floor where there is one, and says what it has found."""

import dataclasses
import statistics
import time

import counts
from processes import DRIVER_CORE, Driver, Floor, Node, Redis, wait_until


@dataclasses.dataclass
class Finding:
    """What one row found. `measured` and `floor` are medians in `unit`; what is judged is `judged`, a ratio or
    `measured` itself, over all rounds."""

    measured: float
    floor: float | None
    judged: list[float]
    notes: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Row:
    name: str
    what: str
    unit: str
    goal: float
    is_ratio: bool
    measure: object


def per_delivery(kind, subscribers, flight, at_once=False):
    """CPU per delivery in microseconds: gateway and floor in turns, with all their connections open."""

    def measure(rounds):
        redis = Redis()
        servers = [Node(redis), Floor(is_joined=flight > 1)]
        driver = Driver()
        # About half a second of the floor's time in each turn.
        count = max(flight, (60_000 if flight == 1 else 240_000) // subscribers // flight * flight)
        rate = 50_000 / subscribers if flight == 1 else 0
        costs, sizes, joined, speeds = [[], []], [0, 0], [0, 0], [0, 0]
        for server in servers:
            driver.open(kind, server, subscribers)
            driver.publish(server, flight, subscribers, flight, at_once=at_once)
        for _ in range(rounds):
            for index, server in enumerate(servers):
                before = server.cpu()
                answer = driver.publish(server, count, subscribers, flight, rate, at_once=at_once)
                costs[index].append((server.cpu() - before) / answer["deliveries"] * 1e6)
                sizes[index] = answer["bytes"] / answer["deliveries"]
                joined[index] = answer["deliveries"] / answer["reads"]
                speeds[index] = answer["deliveries"] / answer["seconds"]
        for process in (driver, *servers, redis):
            process.stop()
        notes = {
            "bytes_per_delivery": [round(size, 1) for size in sizes],
            "messages_per_read": [round(number, 2) for number in joined],
            "deliveries_per_second": [round(speed) for speed in speeds],
        }
        ratios = [gateway / floor for gateway, floor in zip(*costs)]
        return Finding(statistics.median(costs[0]), statistics.median(costs[1]), ratios, notes)

    return measure


MESSAGES = 10_000
"""Published in each round of `rooms`."""


def rooms(rounds):
    """1,000 channels with one subscriber each, published on another node: user CPU of the receiving node."""
    redis = Redis()
    publishing, receiving = Node(redis, "publishing", DRIVER_CORE), Node(redis, "receiving")
    driver = Driver()
    driver.open("websocket", receiving, 1_000, channels=1_000)
    driver.publish(publishing, 1_000, 1, flight=8, channels=1_000)
    totals, first = [], receiving.ticks()
    for _ in range(rounds):
        before = receiving.cpu()
        driver.publish(publishing, MESSAGES, 1, flight=8, channels=1_000)
        totals.append((receiving.cpu() - before) / MESSAGES * 1e6)
    user, both = (last - then for last, then in zip(receiving.ticks(), first))
    share = user / max(1, both)
    costs = [total * share for total in totals]
    for process in (driver, publishing, receiving, redis):
        process.stop()
    notes = {"user_and_system": round(statistics.median(totals), 2), "user_share": round(share, 3)}
    return Finding(statistics.median(costs), None, costs, notes)


def memory(kind, count=15_000):
    """Resident memory of the node for each of many idle connections to one channel."""

    def measure(rounds):
        found = []
        for _ in range(max(1, rounds // 5)):
            redis = Redis()
            # Heartbeats would make the first of them say something while the last ones come.
            node = Node(redis, more=("--heartbeat", "5m", "--stream-comment", "5m"))
            driver = Driver()
            driver.open(kind, node, 10)
            time.sleep(1)
            before = node.rss()
            driver.open(kind, node, count)
            if kind == "poll":
                wait_until(lambda: node.polls() >= count, "the node does not hold all polls", 40)
            time.sleep(2)
            found.append((node.rss() - before) / count)
            for process in (driver, node, redis):
                process.stop()
        return Finding(statistics.median(found), None, found)

    return measure


def set_up(rounds):
    """CPU to accept a connection, upgrade it, welcome it and subscribe it."""
    redis = Redis()
    servers = [Node(redis), Floor()]
    costs = [[], []]
    for _ in range(rounds):
        for index, server in enumerate(servers):
            driver = Driver()
            driver.open("websocket", server, 10)
            before = server.cpu()
            driver.open("websocket", server, 1_000)
            costs[index].append((server.cpu() - before) / 1_000 * 1e6)
            driver.stop()
            time.sleep(0.3)
    for process in (*servers, redis):
        process.stop()
    return Finding(statistics.median(costs[0]), statistics.median(costs[1]), costs[0])


def latency(rounds):
    """From a publish on one node to its delivery on another, 20 a second to 1,000 subscribers: the 99th percentile,
    beside that of the floor, which is one process."""
    redis = Redis()
    publishing, receiving = Node(redis, "publishing", DRIVER_CORE), Node(redis, "receiving")
    floor, driver = Floor(), Driver()
    ways = [(publishing, receiving), (floor, floor)]
    worst, middle = [[], []], [[], []]
    for entry, server in ways:
        driver.open("websocket", server, 1_000)
        driver.publish(entry, 5, 1_000)
    for _ in range(rounds):
        for index, (entry, _) in enumerate(ways):
            answer = driver.publish(entry, 40, 1_000, rate=20)
            worst[index].append(answer["p99"] * 1e3)
            middle[index].append(answer["p50"] * 1e3)
    for process in (driver, publishing, receiving, floor, redis):
        process.stop()
    notes = {"median": [round(statistics.median(values), 3) for values in middle]}
    ratios = [gateway / least for gateway, least in zip(*worst)]
    return Finding(statistics.median(worst[0]), statistics.median(worst[1]), ratios, notes)


def nodes(rounds, subscribers=4_000, sizes=(1, 2, 4, 8)):
    """CPU of all nodes together per delivery, with the same subscribers spread over more of them, beside one node."""
    driver = Driver()
    clusters = []
    for size in sizes:
        redis = Redis()
        cluster = [Node(redis, f"node-{index}") for index in range(size)]
        for node in cluster:
            driver.open("websocket", node, subscribers // size)
        driver.publish(cluster[0], 2, subscribers)
        clusters.append((redis, cluster))
    costs = [[] for _ in sizes]
    for _ in range(rounds):
        for index, (_, cluster) in enumerate(clusters):
            before = sum(node.cpu() for node in cluster)
            answer = driver.publish(cluster[0], 15, subscribers, rate=50_000 / subscribers)
            costs[index].append((sum(node.cpu() for node in cluster) - before) / answer["deliveries"] * 1e6)
    driver.stop()
    for redis, cluster in clusters:
        for process in (*cluster, redis):
            process.stop()
    medians = [statistics.median(values) for values in costs]
    notes = {"by_nodes": {str(size): round(cost, 3) for size, cost in zip(sizes, medians)}}
    ratios = [last / first for first, last in zip(costs[0], costs[-1])]
    return Finding(medians[-1], medians[0], ratios, notes)


def allocations(rounds):
    """How often a delivery asks for memory, of each kind the most."""
    found = counts.count(with_instructions=False)
    each = {name: found[name]["allocations"] for name in counts.DELIVERIES}
    return Finding(max(each.values()), None, [max(each.values())], each)


def delivery_rows():
    speeches = (("ws", "websocket", "WebSocket", 1.15, 1.3), ("sse", "sse", "SSE", 1.2, 1.4))
    for short, kind, title, single, joined in speeches:
        for count in (1_000, 5_000):
            yield Row(
                f"{short}-{count}", f"CPU per delivery, {count:,} {title} subscribers, one at a time", "µs", single,
                True, per_delivery(kind, count, 1),
            )
            yield Row(
                f"{short}-{count}-joined", f"the same, {count:,} {title}, 8 in flight", "µs", joined, True,
                per_delivery(kind, count, 8, at_once=True),
            )
        yield Row(
            f"{short}-1000-apart", f"the same, 1,000 {title}, 8 in flight, by 8 requests", "µs", joined, True,
            per_delivery(kind, 1_000, 8),
        )


ROWS = [
    *delivery_rows(),
    Row("rooms", "user CPU per message, 1,000 channels of one subscriber, from another node", "µs", 15, False, rooms),
    Row("allocations", "allocations per delivery on the hot path", "", counts.MORE_ALLOCATIONS, False, allocations),
    Row("memory-ws", "RSS per idle subscribed WebSocket, of 15,000", "B", 5_000, False, memory("websocket")),
    Row("memory-sse", "RSS per idle SSE stream, of 15,000", "B", 5_000, False, memory("sse")),
    Row("memory-poll", "RSS per held long poll, of 15,000", "B", 5_000, False, memory("poll")),
    Row("set-up", "CPU to set a connection up: accept, upgrade, welcome, subscribe", "µs", 100, False, set_up),
    Row("latency", "p99 from one node to another, 20 a second to 1,000, beside one floor", "ms", 1.5, True, latency),
    Row("nodes", "CPU per delivery on 8 nodes, beside one node, of 4,000 subscribers in all", "µs", 1.15, True, nodes),
]
