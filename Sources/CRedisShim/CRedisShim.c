#include "CRedisShim.h"

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* hiredis moves its whole buffer after every kilobyte of replies; slices keep that move short. */
enum { slice_length = 4096, longest_header = 24 };

struct sluice_redis_reader {
  redisReader *hiredis;
  sluice_redis_limits limits;
  sluice_redis_sink sink; /* set while feeding */
  void *context;
  size_t fed; /* bytes since the last whole reply */
  char error[160];
};

/* Remembers the first reason. The null it answers makes hiredis stop, when returned from an object function. */
static void *refuse(sluice_redis_reader *reader, const char *format, ...) {
  if (reader->error[0] == '\0') {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->error, sizeof reader->error, format, arguments);
    va_end(arguments);
  }
  return NULL;
}

static void *emit(sluice_redis_reader *reader, sluice_redis_kind kind, int64_t number, const char *bytes) {
  reader->sink(reader->context, kind, number, bytes);
  return reader;
}

static void *refuse_bulk(sluice_redis_reader *reader, unsigned long long length) {
  return refuse(reader, "a bulk string of %llu bytes, the limit is %zu", length, reader->limits.bulk);
}

static void *create_string(const redisReadTask *task, char *bytes, size_t length) {
  sluice_redis_reader *reader = task->privdata;
  switch (task->type) {
  case REDIS_REPLY_STRING:
    if (length > reader->limits.bulk) return refuse_bulk(reader, length);
    return emit(reader, sluice_redis_kind_string, (int64_t)length, bytes);
  case REDIS_REPLY_STATUS:
  case REDIS_REPLY_ERROR:
    if (length > reader->limits.line) {
      return refuse(reader, "a line of %zu bytes, the limit is %zu", length, reader->limits.line);
    }
    return emit(reader, task->type == REDIS_REPLY_ERROR ? sluice_redis_kind_error : sluice_redis_kind_status,
                (int64_t)length, bytes);
  default:
    return refuse(reader, "a value that RESP2 does not have");
  }
}

static void *create_array_of(const redisReadTask *task, unsigned long long elements) {
  sluice_redis_reader *reader = task->privdata;
  if (task->type != REDIS_REPLY_ARRAY) return refuse(reader, "a value that RESP2 does not have");
  if (elements > reader->limits.elements) {
    return refuse(reader, "an array of %llu elements, the limit is %zu", elements, reader->limits.elements);
  }
  int depth = 1;
  for (const redisReadTask *outer = task->parent; outer != NULL; outer = outer->parent) depth++;
  if (depth > reader->limits.depth) {
    return refuse(reader, "arrays nested %d deep, the limit is %d", depth, reader->limits.depth);
  }
  return emit(reader, sluice_redis_kind_array, (int64_t)elements, NULL);
}

static void *create_integer(const redisReadTask *task, long long value) {
  return emit(task->privdata, sluice_redis_kind_integer, value, NULL);
}

static void *create_nil(const redisReadTask *task) {
  /* 1.x has also a nil of its own, which RESP2 lacks. */
  if (task->type == REDIS_REPLY_NIL) return refuse(task->privdata, "a value that RESP2 does not have");
  return emit(task->privdata, sluice_redis_kind_null, 0, NULL);
}

static void free_object(void *object) { (void)object; }

#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t elements) { return create_array_of(task, elements); }

static void *create_double(const redisReadTask *task, double value, char *bytes, size_t length) {
  (void)value, (void)bytes, (void)length;
  return refuse(task->privdata, "a value that RESP2 does not have");
}

static void *create_bool(const redisReadTask *task, int value) {
  (void)value;
  return refuse(task->privdata, "a value that RESP2 does not have");
}
#else
static void *create_array(const redisReadTask *task, int elements) {
  return create_array_of(task, (unsigned long long)elements);
}
#endif

static redisReplyObjectFunctions functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
#if HIREDIS_MAJOR >= 1
    .createDouble = create_double,
    .createBool = create_bool,
#endif
    .freeObject = free_object,
};

static int current_type(const redisReader *hiredis) {
  if (hiredis->ridx < 0) return -1;
#if HIREDIS_MAJOR >= 1
  return hiredis->task[hiredis->ridx]->type;
#else
  return hiredis->rstack[hiredis->ridx].type;
#endif
}

/* hiredis waits for the whole of a bulk string or a line before it calls an object function. What it waits for
 * is looked at here. Its type byte has been consumed already; the header or line stands at the cursor. */
static int check_awaited(sluice_redis_reader *reader) {
  const redisReader *hiredis = reader->hiredis;
  int type = current_type(hiredis);
  if (type < 0) return 0;
  const char *head = hiredis->buf + hiredis->pos;
  size_t available = hiredis->len - hiredis->pos;
  size_t header = 0;
  while (header < available && header < longest_header && head[header] != '\r') header++;
  if (type == REDIS_REPLY_STRING && header + 1 < available && head[header] == '\r' && head[header + 1] == '\n') {
    unsigned long long length = 0;
    for (size_t digit = 0; digit < header && head[digit] >= '0' && head[digit] <= '9'; digit++) {
      length = length * 10 + (unsigned long long)(head[digit] - '0');
    }
    return length > reader->limits.bulk ? (refuse_bulk(reader, length), -1) : 0;
  }
  int text = type == REDIS_REPLY_STATUS || type == REDIS_REPLY_ERROR;
  size_t limit = text ? reader->limits.line : longest_header;
  /* The carriage return may have come, and is no part of the line. */
  return available > limit + 1 ? (refuse(reader, "a line longer than %zu bytes", limit), -1) : 0;
}

sluice_redis_reader *sluice_redis_reader_create(sluice_redis_limits limits) {
  sluice_redis_reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) return NULL;
  reader->hiredis = redisReaderCreateWithFunctions(&functions);
  if (reader->hiredis == NULL) {
    free(reader);
    return NULL;
  }
  reader->hiredis->privdata = reader;
  reader->limits = limits;
  return reader;
}

void sluice_redis_reader_free(sluice_redis_reader *reader) {
  if (reader == NULL) return;
  redisReaderFree(reader->hiredis);
  free(reader);
}

/* Hands over every reply that is whole. */
static int drain(sluice_redis_reader *reader) {
  for (;;) {
    void *reply = NULL;
    if (redisReaderGetReply(reader->hiredis, &reply) != REDIS_OK) {
      return refuse(reader, "%s", reader->hiredis->errstr), -1;
    }
    if (reply == NULL) return check_awaited(reader);
    reader->fed = reader->hiredis->len - reader->hiredis->pos;
    emit(reader, sluice_redis_kind_end, 0, NULL);
  }
}

int sluice_redis_reader_feed(sluice_redis_reader *reader, const char *bytes, size_t length,
                             sluice_redis_sink sink, void *context) {
  if (reader->error[0] != '\0') return -1;
  reader->sink = sink;
  reader->context = context;
  int result = 0;
  while (length > 0 && result == 0) {
    size_t slice = length < slice_length ? length : slice_length;
    if (redisReaderFeed(reader->hiredis, bytes, slice) != REDIS_OK) {
      refuse(reader, "%s", reader->hiredis->errstr);
      result = -1;
      break;
    }
    bytes += slice;
    length -= slice;
    reader->fed += slice;
    result = drain(reader);
    if (result == 0 && reader->fed > reader->limits.reply) {
      refuse(reader, "a reply longer than %zu bytes", reader->limits.reply);
      result = -1;
    }
  }
  reader->sink = NULL;
  reader->context = NULL;
  return result;
}

const char *sluice_redis_reader_error(const sluice_redis_reader *reader) { return reader->error; }

char *sluice_redis_command_format(const char *bytes, const size_t *lengths, int count, size_t *length) {
  const char *few[32];
  const char **arguments = few;
  if (count > 32) {
    arguments = malloc((size_t)count * sizeof *arguments);
    if (arguments == NULL) return NULL;
  }
  for (int index = 0; index < count; index++) {
    arguments[index] = bytes;
    bytes += lengths[index];
  }
  char *command = NULL;
  long long written = redisFormatCommandArgv(&command, count, arguments, lengths);
  if (arguments != few) free(arguments);
  if (written < 0) return NULL;
  *length = (size_t)written;
  return command;
}

void sluice_redis_command_free(char *command) { redisFreeCommand(command); }
