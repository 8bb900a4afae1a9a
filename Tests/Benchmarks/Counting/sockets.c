#define _GNU_SOURCE
#include "Counting.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

int counting_connect(int port) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  return descriptor;
}

void counting_send(int descriptor, const void *bytes, size_t length) {
  if (write(descriptor, bytes, length) != (ssize_t)length) fail("write");
}

size_t counting_receive(int descriptor, void *bytes, size_t length) {
  ssize_t count = read(descriptor, bytes, length);
  if (count <= 0) fail("read");
  return (size_t)count;
}

size_t counting_drain(int descriptor, const char *last) {
  static char bytes[1 << 16];
  struct pollfd readable = {.fd = descriptor, .events = POLLIN};
  size_t total = 0;
  int complete = 0;
  // Even on one machine what was sent may still be on its way when the call that sent it has returned.
  while (total < sizeof bytes && (complete || poll(&readable, 1, 10000) > 0)) {
    ssize_t count = recv(descriptor, bytes + total, sizeof bytes - total, MSG_DONTWAIT);
    if (count <= 0) break;
    total += (size_t)count;
    complete = memmem(bytes, total, last, strlen(last)) != NULL;
  }
  return complete ? total : 0;
}

void counting_pipe(int ends[2]) {
  if (pipe(ends) < 0) fail("pipe");
}

void counting_close(int descriptor) { close(descriptor); }

void counting_exit(int code) {
  fflush(stdout);
  _exit(code);
}

void counting_wait(void) {
  for (;;) pause();
}
