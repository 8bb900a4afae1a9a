"""Ten nodes with 15,000 WebSockets each, idle but for their heartbeats: none may be dropped."""

import json
import sys
import time

from processes import CORES, Driver, Node, Redis, wait_until

NODES, CONNECTIONS, CHANNELS = 10, 15_000, 100


def main(minutes, as_json):
    everywhere = set(CORES)
    redis = Redis()
    nodes = [Node(redis, f"node-{index}", everywhere) for index in range(NODES)]
    empty = [node.rss() for node in nodes]
    drivers = [Driver(everywhere) for _ in nodes]
    begun, before = time.monotonic(), [node.cpu() for node in nodes]
    for node, driver in zip(nodes, drivers):
        driver.begin(f"open websocket {node.port} {CONNECTIONS} {CHANNELS}")
    for driver in drivers:
        driver.answer()
    took = time.monotonic() - begun
    set_up = sum(node.cpu() - cpu for node, cpu in zip(nodes, before)) / (NODES * CONNECTIONS)
    say(f"{NODES * CONNECTIONS:,} connections are open after {took:.0f} s, {set_up * 1e6:.0f} µs of the nodes' CPU each")

    start, before = time.monotonic(), [node.cpu() for node in nodes]
    end = start + minutes * 60
    worst = 0
    while time.monotonic() < end:
        time.sleep(max(0, min(30, end - time.monotonic())))
        sizes = [node.rss() for node in nodes]
        worst = max(worst, *sizes)
        dropped = sum(driver.ask("status")["dropped"] for driver in drivers)
        say(f"{(time.monotonic() - start) / 60:.1f} min: {dropped} dropped, {sum(sizes) / NODES / 1e6:.0f} MB a node")
    cores = sum(node.cpu() - cpu for node, cpu in zip(nodes, before)) / (time.monotonic() - start)

    # Whoever is still there hears a message.
    held = (time.monotonic() - start) / 60
    heard_before = sum(driver.ask("status")["messages"] for driver in drivers)
    publisher = Driver(everywhere)
    publisher.publish(nodes[0], CHANNELS, 0, channels=CHANNELS)
    expected = NODES * CONNECTIONS

    def heard():
        return sum(driver.ask("status")["messages"] for driver in drivers) - heard_before

    wait_until(lambda: heard() >= expected, "not every connection heard a last message", 60)
    ends = [driver.ask("status") for driver in drivers]
    found = {
        "nodes": NODES, "connections": expected, "minutes": round(held, 2),
        "dropped": sum(status["dropped"] for status in ends), "heartbeats": sum(status["pings"] for status in ends),
        "last_message_heard_by": heard(), "set_up_cpu_us": round(set_up * 1e6, 1),
        "cores_of_all_nodes": round(cores, 3), "largest_node_mb": round(worst / 1e6, 1),
        "bytes_per_connection": round((worst - min(empty)) / CONNECTIONS),
    }
    if as_json:
        json.dump(found, sys.stdout, indent=2)
        print()
    else:
        print(
            f"{NODES} nodes held {expected:,} WebSockets for {held:.1f} minutes: {found['dropped']} dropped,"
            f" {found['heartbeats']:,} heartbeats answered, the last message heard by {found['last_message_heard_by']:,}."
            f"\nAll nodes together took {cores:.2f} cores; the largest had {found['largest_node_mb']:.0f} MB,"
            f" {found['bytes_per_connection']:,} B a connection."
        )
    return 0 if found["dropped"] == 0 else 1


def say(text):
    print(text, file=sys.stderr, flush=True)
