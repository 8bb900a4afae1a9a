// One connection: its handshake, and the bytes that come on it.

#define _GNU_SOURCE
#include "driver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void begin(struct connection *connection) {
  char request[512];
  int length;
  switch (connection->kind) {
  case web_socket:
    length = snprintf(
      request, sizeof request,
      "GET /v1/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    break;
  case event_stream:
    length = snprintf(
      request, sizeof request, "GET /v1/stream?channels=bench:%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      connection->channel);
    break;
  case long_poll:
    length = snprintf(
      request, sizeof request, "GET /v1/poll?channels=bench:%d&wait=55 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      connection->channel);
    break;
  case publisher: return;
  }
  send_all(connection, request, (size_t)length);
}

struct connection *connect_to(int port, enum kind kind, int channel, int index) {
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) fail("memory");
  connection->kind = kind;
  connection->channel = channel;
  connection->port = port;
  connection->phase = kind == publisher ? established : awaiting_head;
  connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->descriptor < 0) fail("socket");
  int one = 1;
  setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(connection->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  // 127.1.0.1 and on, 1,000 connections from each.
  struct sockaddr_in from = {.sin_family = AF_INET};
  from.sin_addr.s_addr = htonl(0x7f010001u + (unsigned)(index / 1000));
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(connection->descriptor, (struct sockaddr *)&from, sizeof from) < 0) fail("bind");
  if (connect(connection->descriptor, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->descriptor, &event) < 0) fail("epoll");
  begin(connection);
  if (kind == long_poll) {
    // Nothing comes while it is held.
    connection->phase = established;
    totals.opened++;
  }
  return connection;
}

void send_all(struct connection *connection, const void *bytes, size_t length) {
  if (send(connection->descriptor, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

/// A masked frame; the mask is zero, which is as good as any here.
static void send_frame(struct connection *connection, int opcode, const void *payload, size_t length) {
  unsigned char frame[140] = {(unsigned char)(0x80 | opcode), (unsigned char)(0x80 | length)};
  memcpy(frame + 6, payload, length);
  send_all(connection, frame, 6 + length);
}

static void is_open(struct connection *connection) {
  connection->phase = established;
  free(connection->answer);
  connection->answer = NULL;
  totals.opened++;
}

static void web_socket_bytes(struct connection *connection, const char *bytes, size_t length) {
  while (length > 0) {
    if (connection->left > 0) {
      size_t count = connection->left < length ? connection->left : length;
      if (connection->keeps) memcpy(connection->bytes + connection->length, bytes, count), connection->length += count;
      connection->left -= count;
      bytes += count;
      length -= count;
      if (connection->left > 0) return;
      if (connection->keeps && (connection->bytes[0] & 15) == 9) {
        totals.pings++;
        send_frame(connection, 10, connection->bytes + 2, connection->length - 2);
      }
      connection->length = 0;
      continue;
    }
    connection->bytes[connection->length++] = (unsigned char)*bytes++;
    length--;
    const unsigned char *header = connection->bytes;
    unsigned need = connection->length < 2 ? 2 : header[1] == 126 ? 4 : header[1] == 127 ? 10 : 2;
    if (connection->length < need) continue;
    size_t payload = header[1];
    if (need > 2) {
      payload = 0;
      for (unsigned index = 2; index < need; index++) payload = payload << 8 | header[index];
    }
    bool is_control = (header[0] & 8) != 0;
    if ((header[0] & 15) == 1 && connection->phase == established) message_arrived();
    connection->left = payload;
    connection->keeps = is_control;
    if (payload == 0 && (header[0] & 15) == 9) {
      totals.pings++;
      send_frame(connection, 10, "", 0);
    }
    if (!is_control || payload == 0) connection->length = 0;
  }
}

static void chunked_bytes(struct connection *connection, const char *bytes, size_t length) {
  while (length > 0) {
    if (connection->left > 0) {
      if (connection->keeps) {
        // The first byte of a chunk tells a message, which begins with its id, from all else.
        if (*bytes == 'i' && connection->phase == established) message_arrived();
        connection->keeps = false;
      }
      size_t count = connection->left < length ? connection->left : length;
      connection->left -= count;
      bytes += count;
      length -= count;
      continue;
    }
    char byte = *bytes++;
    length--;
    if (byte != '\n') {
      if (connection->length < 16) connection->bytes[connection->length++] = (unsigned char)byte;
      continue;
    }
    connection->bytes[connection->length] = 0;
    connection->length = 0;
    connection->left = strtoul((char *)connection->bytes, NULL, 16) + 2;
    connection->keeps = true;
  }
}

/// Answers to requests: an empty line, and as much as the head says.
static void answer_bytes(struct connection *connection, const char *bytes, size_t length) {
  connection->answer = realloc(connection->answer, connection->answer_length + length + 1);
  memcpy(connection->answer + connection->answer_length, bytes, length);
  connection->answer_length += length;
  connection->answer[connection->answer_length] = 0;
  const char *end = strstr(connection->answer, "\r\n\r\n");
  if (end == NULL) return;
  const char *field = strcasestr(connection->answer, "content-length:");
  size_t body = field == NULL ? 0 : strtoul(field + 15, NULL, 10);
  if (connection->answer_length < (size_t)(end + 4 - connection->answer) + body) return;
  if (strncmp(connection->answer, "HTTP/1.1 2", 10) != 0) {
    fprintf(stderr, "refused: %s\n", connection->answer);
    exit(1);
  }
  free(connection->answer);
  connection->answer = NULL;
  connection->answer_length = 0;
  if (connection->kind == publisher) {
    totals.answers++;
  } else {
    totals.polls++;
    begin(connection);
  }
}

static void speech(struct connection *connection, const char *bytes, size_t length) {
  if (connection->kind == web_socket) web_socket_bytes(connection, bytes, length);
  else chunked_bytes(connection, bytes, length);
}

void take(struct connection *connection, const char *bytes, size_t length) {
  if (connection->phase == established) {
    if (connection->kind == web_socket || connection->kind == event_stream) speech(connection, bytes, length);
    else answer_bytes(connection, bytes, length);
    return;
  }
  size_t before = connection->answer_length;
  connection->answer = realloc(connection->answer, before + length + 1);
  memcpy(connection->answer + before, bytes, length);
  connection->answer_length += length;
  connection->answer[connection->answer_length] = 0;
  if (connection->phase == awaiting_head) {
    const char *end = strstr(connection->answer, "\r\n\r\n");
    if (end == NULL) return;
    if (strncmp(connection->answer, "HTTP/1.1 101", 12) != 0 && strncmp(connection->answer, "HTTP/1.1 200", 12) != 0) {
      fprintf(stderr, "refused: %s\n", connection->answer);
      exit(1);
    }
    connection->phase = awaiting_opening;
    if (connection->kind == web_socket) {
      char command[100];
      int size = snprintf(
        command, sizeof command, "{\"type\":\"subscribe\",\"id\":1,\"channel\":\"bench:%d\"}", connection->channel);
      send_frame(connection, 1, command, (size_t)size);
    }
    size_t used = (size_t)(end + 4 - connection->answer);
    speech(connection, connection->answer + used, connection->answer_length - used);
  } else {
    speech(connection, bytes, length);
  }
  // What the head is followed by may hold a zero, as a frame's header does.
  const char *sign = connection->kind == web_socket ? "\"subscribed\"" : "event: welcome";
  if (memmem(connection->answer, connection->answer_length, sign, strlen(sign)) != NULL) is_open(connection);
}
