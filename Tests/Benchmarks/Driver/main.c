// The benchmarks' driver: many subscribers and a publisher in one light thread, the same for a gateway and for the
// floor. It takes commands from its standard input, one in a line, and answers each with a line of JSON:
//
//   open websocket|sse|poll PORT COUNT CHANNELS   COUNT subscribers, spread over channels bench:0 and so on
//   publish PORT COUNT FLIGHT RATE SIZE CHANNELS SUBSCRIBERS each|at-once
//   status                                        what has come so far
//
// Between commands it goes on reading, answers pings and repeats polls that were answered.

#define _GNU_SOURCE
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct totals totals;
int poller;
static char line[512];
static bool has_line;

void fail(const char *what) {
  perror(what);
  exit(1);
}

double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void drop(struct connection *connection) {
  if (connection->phase != established) {
    const char *answer = connection->answer == NULL ? "" : connection->answer;
    fprintf(stderr, "a connection was closed before it was open\n%.*s\n", (int)connection->answer_length, answer);
    exit(1);
  }
  if (connection->kind != publisher) totals.dropped++;
  close(connection->descriptor);
  connection->descriptor = -1;
}

static void read_command(void) {
  static size_t length;
  ssize_t count = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) exit(0);
  length += (size_t)count;
  line[length] = 0;
  if (strchr(line, '\n') == NULL) return;
  length = 0;
  has_line = true;
}

void turn(double deadline) {
  static struct epoll_event events[1024];
  static char input[1 << 18];
  double wait = (deadline - now()) * 1e3;
  int count = epoll_wait(poller, events, 1024, wait <= 0 ? 0 : (int)wait + 1);
  if (count < 0 && errno != EINTR) fail("epoll");
  for (int index = 0; index < count; index++) {
    struct connection *connection = events[index].data.ptr;
    if (connection == NULL) {
      read_command();
      continue;
    }
    ssize_t length = recv(connection->descriptor, input, sizeof input, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) continue;
    if (length <= 0) {
      drop(connection);
      continue;
    }
    totals.bytes += (uint64_t)length;
    totals.reads++;
    take(connection, input, (size_t)length);
  }
}

static void open_many(const char *name, int port, int count, int channels) {
  static int addresses;
  enum kind kind = strcmp(name, "websocket") == 0 ? web_socket : strcmp(name, "sse") == 0 ? event_stream : long_poll;
  uint64_t before = totals.opened;
  double start = now(), last = start;
  for (int index = 0; index < count; index++) {
    connect_to(port, kind, index % channels, addresses++);
    uint64_t seen = totals.opened;
    // Few at a time: the listener's queue is short.
    while ((uint64_t)index + 1 - (totals.opened - before) >= 64) turn(last + 30);
    if (totals.opened != seen) last = now();
  }
  while (totals.opened - before < (uint64_t)count) {
    uint64_t seen = totals.opened;
    turn(last + 30);
    if (totals.opened != seen) last = now();
    else if (now() > last + 30) fail("a handshake was not answered within 30 s");
  }
  printf("{\"opened\": %d, \"seconds\": %.3f}\n", count, now() - start);
}

static void perform(void) {
  char name[32];
  int port, count, channels;
  struct publishing publishing;
  if (sscanf(line, "open %31s %d %d %d", name, &port, &count, &channels) == 4) {
    open_many(name, port, count, channels);
  } else if (
    sscanf(
      line, "publish %d %d %d %lf %d %d %d %31s", &publishing.port, &publishing.count, &publishing.flight,
      &publishing.rate, &publishing.size, &publishing.channels, &publishing.subscribers, name) == 8) {
    publishing.at_once = strcmp(name, "at-once") == 0;
    publish(&publishing);
  } else if (strncmp(line, "status", 6) == 0) {
    printf(
      "{\"opened\": %lu, \"dropped\": %lu, \"messages\": %lu, \"bytes\": %lu, \"pings\": %lu, \"polls\": %lu}\n",
      totals.opened, totals.dropped, totals.messages, totals.bytes, totals.pings, totals.polls);
  } else {
    fprintf(stderr, "unknown command: %s", line);
    exit(64);
  }
  fflush(stdout);
}

int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) fail("epoll");
  for (;;) {
    while (!has_line) turn(now() + 3600);
    has_line = false;
    perform();
  }
}
