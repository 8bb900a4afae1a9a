// Publishing by HTTP, and waiting until every subscriber has what was published.

#define _GNU_SOURCE
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_publishers = 1024, most_latencies = 1 << 22 };

static float latencies[most_latencies];
static int latency_count;
/// When the present messages were to be published.
static double published_at;

void message_arrived(void) {
  totals.messages++;
  if (latency_count < most_latencies && published_at > 0) latencies[latency_count++] = (float)(now() - published_at);
}

static int by_size(const void *one, const void *other) {
  float difference = *(const float *)one - *(const float *)other;
  return (difference > 0) - (difference < 0);
}

static double percentile(double share) {
  if (latency_count == 0) return 0;
  int index = (int)((double)latency_count * share);
  return latencies[index < latency_count ? index : latency_count - 1];
}

/// One of the connections to a port that publishes go by; a listener closes them after a while of silence.
static struct connection *publisher_number(int index, int port) {
  static struct connection *known[most_publishers];
  static int count;
  struct connection **place = NULL;
  for (int other = 0; other < count && place == NULL; other++)
    if (known[other]->port == port && known[other]->channel == index) place = &known[other];
  if (place != NULL && (*place)->descriptor >= 0) return *place;
  if (place == NULL) {
    if (count == most_publishers) fail("too many publishers");
    place = &known[count++];
  }
  return *place = connect_to(port, publisher, index, 0);
}

/// Sends `count` publishes, the first to the given channel; how many answers will come.
static int send_publishes(const struct publishing *publishing, int count, int channel) {
  static char body[1 << 16], request[1 << 17];
  if (!publishing->at_once) {
    memset(body, 'x', (size_t)publishing->size);
    body[0] = body[publishing->size - 1] = '"';
    for (int index = 0; index < count; index++) {
      int length = snprintf(
        request, sizeof request,
        "POST /v1/channels/bench:%d/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n%.*s",
        (channel + index) % publishing->channels, publishing->size, publishing->size, body);
      send_all(publisher_number(index, publishing->port), request, (size_t)length);
    }
    return count;
  }
  int length = snprintf(body, sizeof body, "{\"publications\":[");
  for (int index = 0; index < count; index++) {
    length += snprintf(
      body + length, sizeof body - (size_t)length, "%s{\"channels\":[\"bench:%d\"],\"data\":\"",
      index == 0 ? "" : ",", (channel + index) % publishing->channels);
    memset(body + length, 'x', (size_t)publishing->size - 2);
    length += publishing->size - 2;
    length += snprintf(body + length, sizeof body - (size_t)length, "\"}");
  }
  length += snprintf(body + length, sizeof body - (size_t)length, "]}");
  int size = snprintf(
    request, sizeof request,
    "POST /v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
    length, body);
  send_all(publisher_number(0, publishing->port), request, (size_t)size);
  return 1;
}

void publish(const struct publishing *publishing) {
  struct totals before = totals;
  latency_count = 0;
  double start = now(), due = start, progress = start;
  int sent = 0;
  uint64_t answers = 0;
  while (sent < publishing->count) {
    while (now() < due) turn(due);
    int count = publishing->count - sent < publishing->flight ? publishing->count - sent : publishing->flight;
    // Where there is a pace, a message is as old as its turn, whenever it could be sent.
    published_at = publishing->rate > 0 ? due : now();
    answers += (uint64_t)send_publishes(publishing, count, sent);
    sent += count;
    if (publishing->rate > 0) due += count / publishing->rate;
    uint64_t goal = (uint64_t)sent * (uint64_t)publishing->subscribers;
    progress = now();
    while (totals.messages - before.messages < goal || totals.answers - before.answers < answers) {
      uint64_t seen = totals.messages + totals.answers;
      turn(progress + 30);
      if (totals.messages + totals.answers != seen) {
        progress = now();
      } else if (now() > progress + 30) {
        fprintf(stderr, "%lu of %lu deliveries came\n", totals.messages - before.messages, goal);
        exit(1);
      }
    }
  }
  published_at = 0;
  double seconds = now() - start;
  qsort(latencies, (size_t)latency_count, sizeof latencies[0], by_size);
  uint64_t deliveries = totals.messages - before.messages;
  printf(
    "{\"messages\": %d, \"deliveries\": %lu, \"seconds\": %.6f, \"bytes\": %lu, \"reads\": %lu, "
    "\"p50\": %.9f, \"p99\": %.9f, \"max\": %.9f}\n",
    sent, deliveries, seconds, totals.bytes - before.bytes, totals.reads - before.reads, percentile(0.5),
    percentile(0.99), percentile(1));
}
