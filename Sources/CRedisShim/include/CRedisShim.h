#pragma once

#include <stddef.h>
#include <stdint.h>

/* The thin layer over hiredis: its reply reader and its command formatter, nothing of its sockets. Builds
 * against hiredis 0.14 and 1.x and speaks RESP2 only: the types of RESP3 are refused as a protocol error.
 *
 * The reader builds no reply objects. It hands each piece of a reply to a sink as it is read, so a reply costs
 * what it really holds, never what its headers claim. */

/* What one token is. An array is followed by as many values as its count says; `..._end` closes a whole reply. */
typedef enum __attribute__((enum_extensibility(closed))) sluice_redis_kind {
  sluice_redis_kind_string,
  sluice_redis_kind_status,
  sluice_redis_kind_error,
  sluice_redis_kind_integer,
  sluice_redis_kind_null,
  sluice_redis_kind_array,
  sluice_redis_kind_end,
} sluice_redis_kind;

/* Receives one token. `number` is the integer, the count of an array or the length of `bytes`; `bytes` is valid
 * only during the call and null for what has none. */
typedef void (*sluice_redis_sink)(void *context, sluice_redis_kind kind, int64_t number, const char *bytes);

/* What a reply may hold. What claims more is refused when its header is read, before its content. */
typedef struct sluice_redis_limits {
  size_t elements; /* of one array */
  size_t bulk;     /* bytes of one bulk string */
  size_t line;     /* bytes of one status, error, integer or header line */
  size_t reply;    /* bytes of one whole reply, headers included */
  int depth;       /* of arrays in arrays; hiredis 0.14 itself allows at most 7 */
} sluice_redis_limits;

typedef struct sluice_redis_reader sluice_redis_reader;

/* Makes a reader. Null when there is no memory. */
sluice_redis_reader *sluice_redis_reader_create(sluice_redis_limits limits);

/* Frees a reader and what it has buffered. */
void sluice_redis_reader_free(sluice_redis_reader *reader);

/* Reads `length` bytes, handing every token they complete to `sink`. 0, or -1 when the bytes break the protocol
 * or a limit: the reader is then of no further use. Replies that were whole before have been handed over. */
int sluice_redis_reader_feed(sluice_redis_reader *reader, const char *bytes, size_t length,
                             sluice_redis_sink sink, void *context);

/* Why the reader failed; an empty string while it has not. Valid as long as the reader. */
const char *sluice_redis_reader_error(const sluice_redis_reader *reader);

/* Formats a command of `count` arguments that lie one after the other in `bytes`, each as long as `lengths`
 * says. The answer is `*length` bytes, to be freed with `sluice_redis_command_free`; null when there is no
 * memory or the command is too long to be formatted. */
char *sluice_redis_command_format(const char *bytes, const size_t *lengths, int count, size_t *length);

/* Frees a formatted command. */
void sluice_redis_command_free(char *command);
