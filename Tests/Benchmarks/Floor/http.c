// What the floor hears and says: no more than the benchmarks' driver needs.

#define _GNU_SOURCE
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool say(struct connection *connection, const char *bytes, size_t length) {
  return send(connection->descriptor, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length;
}

#define say_text(connection, text) say(connection, text, sizeof text - 1)

static bool upgrade(struct connection *connection) {
  connection->is_upgraded = true;
  return say_text(
    connection,
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    "\x81\x12{\"type\":\"welcome\"}");
}

static bool stream(struct connection *connection) {
  subscribe(connection, event_stream);
  return say_text(
    connection,
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    "Transfer-Encoding: chunked\r\n\r\n0000001e\r\nevent: welcome\ndata: \"hello\"\n\n\r\n");
}

/// `POST /v1/channels/NAME/messages`, whose body is the data, or `POST /v1/publish`, whose body has several of
/// `{"channels":["NAME"],"data":"…"}`.
static bool answer_publish(struct connection *connection, const char *body, size_t body_length) {
  const char *name = strstr(connection->input, "/channels/");
  if (name != NULL && name < body) {
    name += strlen("/channels/");
    publish(name, strcspn(name, "/ "), body, body_length);
  } else {
    const char *rest = body, *end = body + body_length;
    while ((rest = memmem(rest, (size_t)(end - rest), "[\"", 2)) != NULL) {
      name = rest + 2;
      const char *data = memmem(rest, (size_t)(end - rest), "\"data\":", 7);
      if (data == NULL) return false;
      data += strlen("\"data\":");
      rest = memchr(data, '}', (size_t)(end - data));
      if (rest == NULL) return false;
      publish(name, strcspn(name, "\""), data, (size_t)(rest - data));
    }
  }
  return say_text(
    connection, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

bool take_input(struct connection *connection) {
  if (connection->place >= 0) {  // pongs
    connection->length = 0;
    return true;
  }
  if (connection->is_upgraded) {
    connection->length = 0;
    subscribe(connection, web_socket);
    return say_text(connection, "\x81\x15{\"type\":\"subscribed\"}");
  }
  const char *end;
  while (connection->length > 0 && (end = memmem(connection->input, connection->length, "\r\n\r\n", 4)) != NULL) {
    size_t used = (size_t)(end - connection->input) + 4;
    bool is_good;
    if (memcmp(connection->input, "POST", 4) == 0) {
      const char *field = strcasestr(connection->input, "content-length:");
      size_t body_length = field == NULL ? 0 : strtoul(field + strlen("content-length:"), NULL, 10);
      if (connection->length < used + body_length) return body_length < sizeof connection->input - used;
      is_good = answer_publish(connection, connection->input + used, body_length);
      used += body_length;
    } else if (strncmp(connection->input, "GET /v1/socket", 14) == 0) {
      is_good = upgrade(connection);
    } else {
      is_good = stream(connection);
    }
    if (!is_good) return false;
    connection->length -= used;
    memmove(connection->input, connection->input + used, connection->length);
    connection->input[connection->length] = 0;
  }
  return connection->length < sizeof connection->input - 1;
}

void write_frame(
  struct frames *frames, enum speech speech, const char *channel, size_t channel_length, unsigned long long offset,
  const char *data, size_t data_length) {
  char json[4096];
  int length = snprintf(
    json, sizeof json,
    "{\"type\":\"message\",\"channel\":\"%.*s\",\"cursor\":\"flooring.%llu\",\"data\":%.*s,\"time\":1790000000000}",
    (int)channel_length, channel, offset, (int)data_length, data);
  char *out = frames->bytes + frames->length;
  size_t room = sizeof frames->bytes - frames->length;
  if (length < 126 || length >= (int)sizeof json || (size_t)length + 256 > room) {
    fprintf(stderr, "the floor is made for messages of 128 to 3,000 bytes, a few at a time\n");
    exit(1);
  }
  if (speech == web_socket) {
    out[0] = (char)0x81;
    out[1] = 126;
    out[2] = (char)(length >> 8);
    out[3] = (char)length;
    memcpy(out + 4, json, (size_t)length);
    frames->length += 4 + (size_t)length;
  } else {
    char event[4500];
    int size = snprintf(
      event, sizeof event, "id: %.*s@flooring.%llu\ndata: %s\n\n", (int)channel_length, channel, offset, json);
    frames->length += (size_t)snprintf(out, room, "%08x\r\n%s\r\n", size, event);
  }
}
