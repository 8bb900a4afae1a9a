#pragma once

#include <stddef.h>

/// Counting of instructions and allocations in the whole process, and clients that cost next to nothing themselves.
/// Instructions are counted only by Callgrind, which then writes a dump with the section's name; allocations always.

/// Begins a section.
void counting_begin(void);

/// Ends the section; answers how often memory was asked for in it.
long counting_end(const char *name);

/// Connects to a port of 127.0.0.1 and answers the descriptor. Whatever fails here ends the process.
int counting_connect(int port);

/// Sends all of these bytes.
void counting_send(int descriptor, const void *bytes, size_t length);

/// Waits for an answer and reads it, as much as has come: at the most `length` bytes. Answers how many.
size_t counting_receive(int descriptor, void *bytes, size_t length);

/// Takes everything that has been sent, the text `last` included, for which it waits up to 10 s. Answers how many bytes
/// there were, at the most 64 KiB, and 0 when that text did not come.
size_t counting_drain(int descriptor, const char *last);

/// Two ends of a pipe: reading, writing.
void counting_pipe(int ends[2]);

void counting_close(int descriptor);

/// Ends the process with what it has printed.
_Noreturn void counting_exit(int code);

/// Waits until another thread ends the process.
_Noreturn void counting_wait(void);
