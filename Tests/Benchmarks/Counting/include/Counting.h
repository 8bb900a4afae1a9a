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

/// Takes everything that waits, and answers how many bytes that was.
size_t counting_drain(int descriptor);

/// Two ends of a pipe: reading, writing.
void counting_pipe(int ends[2]);

void counting_close(int descriptor);

/// Ends the process with what it has printed.
_Noreturn void counting_exit(int code);

/// Waits until another thread ends the process.
_Noreturn void counting_wait(void);
