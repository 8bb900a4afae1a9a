#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

enum kind { web_socket, event_stream, long_poll, publisher };

enum phase {
  /// The answer's head has not come.
  awaiting_head,
  /// The WebSocket's subscribe is not answered, or the stream has not begun.
  awaiting_opening,
  established,
};

struct connection {
  /// Negative once it is closed.
  int descriptor;
  enum kind kind;
  enum phase phase;
  int port;
  /// The number of its channel; of a publisher, its own.
  int channel;
  /// Bytes of the present frame, chunk or body that are still to come, and whether they are to be kept.
  size_t left;
  bool keeps;
  /// What the present frame's or chunk's header has so far, or a control frame as a whole.
  unsigned length;
  unsigned char bytes[140];
  /// The answer to the handshake, as it came; freed when the connection is open.
  char *answer;
  size_t answer_length;
};

/// What has come on all connections together.
struct totals {
  uint64_t messages, bytes, reads, pings, answers, opened, dropped, polls;
};

extern struct totals totals;
extern int poller;

_Noreturn void fail(const char *what);

/// Seconds of the monotonic clock.
double now(void);

/// Handles what has happened; waits for it until `deadline` at the most.
void turn(double deadline);

/// Connects from a loopback address that depends on `index`, so that ports suffice.
struct connection *connect_to(int port, enum kind kind, int channel, int index);

void send_all(struct connection *connection, const void *bytes, size_t length);

/// Bytes came in: counts messages, answers pings, goes through the handshake.
void take(struct connection *connection, const char *bytes, size_t length);

/// A message came in, now.
void message_arrived(void);

struct publishing {
  int port;
  /// Of the channels `bench:0`, `bench:1`, …: each batch goes on with the next.
  int channels;
  int count;
  /// Publishes that are under way together, each by a connection of its own; the next ones go when every
  /// subscriber has all of these.
  int flight;
  /// Publishes a second at the most; 0: as fast as they are delivered.
  double rate;
  /// Bytes of `data`.
  int size;
  /// Who gets each message.
  int subscribers;
  /// Whether one request brings all of a flight, as a backend's listener takes them.
  bool at_once;
};

void publish(const struct publishing *publishing);
