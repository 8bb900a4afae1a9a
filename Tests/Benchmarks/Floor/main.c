// The floor: the least that a server can do for the same bytes on the same sockets.
//
// One thread, one epoll. It answers the handshakes of subscribers and the HTTP requests of publishers, with as little
// parsing as the benchmarks' driver needs, and writes each message as a ready frame to each subscriber, by one
// `send` each. With `--joined` what has arrived in one turn of the loop leaves in one `send`. What a socket does not
// take ends the run: a floor has no queue, and its reader is too slow then.

#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_descriptors = 1 << 16, most_events = 1024 };

static struct connection *connections[most_descriptors];
/// Subscribers by what they speak: their descriptors, close together, for the loop that matters.
static int subscribers[2][most_descriptors];
static int counts[2];
static struct frames waiting[2];
static bool is_joined;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

void subscribe(struct connection *connection, enum speech speech) {
  connection->speech = speech;
  connection->place = counts[speech];
  subscribers[speech][counts[speech]++] = connection->descriptor;
}

static void leave(struct connection *connection) {
  if (connection->place >= 0) {
    int last = subscribers[connection->speech][--counts[connection->speech]];
    subscribers[connection->speech][connection->place] = last;
    connections[last]->place = connection->place;
  }
  connections[connection->descriptor] = NULL;
  close(connection->descriptor);
  free(connection);
}

/// Writes what waits to everybody.
static void deliver(void) {
  for (int speech = 0; speech < 2; speech++) {
    struct frames *frames = &waiting[speech];
    if (frames->length == 0) continue;
    for (int index = 0; index < counts[speech]; index++) {
      ssize_t sent = send(subscribers[speech][index], frames->bytes, frames->length, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent != (ssize_t)frames->length) fail("a subscriber did not take a whole frame");
    }
    frames->length = 0;
  }
}

void publish(const char *channel, size_t channel_length, const char *data, size_t data_length) {
  static unsigned long long offset;
  offset++;
  write_frame(&waiting[web_socket], web_socket, channel, channel_length, offset, data, data_length);
  write_frame(&waiting[event_stream], event_stream, channel, channel_length, offset, data, data_length);
  if (!is_joined) deliver();
}

static void accept_all(int listener, int poller) {
  for (;;) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EAGAIN || errno == ECONNABORTED) return;
      fail("accept");
    }
    if (descriptor >= most_descriptors) fail("too many connections");
    int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) fail("memory");
    connection->descriptor = descriptor;
    connection->place = -1;
    connections[descriptor] = connection;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll");
  }
}

static void read_some(struct connection *connection) {
  size_t room = sizeof connection->input - 1 - connection->length;
  ssize_t count = recv(connection->descriptor, connection->input + connection->length, room, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return leave(connection);
  connection->length += (size_t)count;
  connection->input[connection->length] = 0;
  if (!take_input(connection)) leave(connection);
}

int main(int argc, char **argv) {
  is_joined = argc > 1 && strcmp(argv[1], "--joined") == 0;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4096) < 0)
    fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll");
  static struct epoll_event events[most_events];
  for (;;) {
    int count = epoll_wait(poller, events, most_events, -1);
    if (count < 0 && errno != EINTR) fail("epoll");
    for (int index = 0; index < count; index++) {
      int descriptor = events[index].data.fd;
      if (descriptor == listener) accept_all(listener, poller);
      else if (connections[descriptor] != NULL) read_some(connections[descriptor]);
    }
    deliver();
  }
}
