#pragma once

#include <stdbool.h>
#include <stddef.h>

enum speech { web_socket, event_stream };

struct connection {
  int descriptor;
  /// Where it stands among the subscribers; -1 when it is none.
  int place;
  enum speech speech;
  /// Whether the handshake of a WebSocket is done; its first frame subscribes it.
  bool is_upgraded;
  size_t length;
  char input[8192];
};

/// Ready bytes that every subscriber of one speech is to get.
struct frames {
  size_t length;
  char bytes[1 << 16];
};

/// Takes what the peer has sent; false when the connection is to be closed.
bool take_input(struct connection *connection);

void subscribe(struct connection *connection, enum speech speech);

void publish(const char *channel, size_t channel_length, const char *data, size_t data_length);

/// Appends a message as the gateway would write it.
void write_frame(
  struct frames *frames, enum speech speech, const char *channel, size_t channel_length, unsigned long long offset,
  const char *data, size_t data_length);
