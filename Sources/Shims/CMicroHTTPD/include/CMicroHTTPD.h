#ifndef CMICROHTTPD_H
#define CMICROHTTPD_H

// Plain functions over libmicrohttpd: no variadic calls, no closed enums in parameters. No logic.

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmhd_options {
  int listen_descriptor;
  bool is_ipv6;
  unsigned int connections_max;
  size_t connection_memory_bytes;
  unsigned int timeout_seconds;
  // PEM texts ending in zero, both or neither.
  const char *certificate;
  const char *private_key;
  // The first argument of every callback.
  void *context;
  MHD_AccessHandlerCallback on_request;
  MHD_RequestCompletedCallback on_completed;
  MHD_NotifyConnectionCallback on_connection;
  void *(*on_target)(void *context, const char *target, struct MHD_Connection *connection);
};

struct cmhd_field {
  const char *name;
  size_t name_length;
  const char *value;
  size_t value_length;
};

// Starts a daemon without threads on a listening socket, which it then owns.
struct MHD_Daemon *cmhd_start(const struct cmhd_options *options);

int cmhd_epoll_descriptor(struct MHD_Daemon *daemon);

// Copies up to `capacity` header fields in received order; returns how many the request has.
size_t cmhd_headers(
    struct MHD_Connection *connection, struct cmhd_field *fields, size_t capacity);

// The bytes from the request line to the end of the header block, or 0 before they are known.
size_t cmhd_header_bytes(struct MHD_Connection *connection);

int cmhd_socket(struct MHD_Connection *connection);

const struct sockaddr *cmhd_client_address(struct MHD_Connection *connection);

// What `on_connection` stored for this connection.
void *cmhd_socket_context(struct MHD_Connection *connection);

// The status of the queued response, or 0 without one.
unsigned int cmhd_status(struct MHD_Connection *connection);

// A response over a copy of the bytes.
struct MHD_Response *cmhd_response(const void *bytes, size_t count);

// A response of unknown length that `read` produces; `release` frees `context`.
struct MHD_Response *cmhd_stream_response(
    MHD_ContentReaderCallback read, void *context, MHD_ContentReaderFreeCallback release);

bool cmhd_add_header(struct MHD_Response *response, const char *name, const char *value);

bool cmhd_queue(
    struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response);

bool cmhd_run(struct MHD_Daemon *daemon);

// Milliseconds until the daemon must run again, or -1 without such a time.
int64_t cmhd_timeout_milliseconds(struct MHD_Daemon *daemon);

static inline enum MHD_Result cmhd_yes(void) { return MHD_YES; }
static inline enum MHD_Result cmhd_no(void) { return MHD_NO; }
static inline bool cmhd_is_start(enum MHD_ConnectionNotificationCode code) {
  return code == MHD_CONNECTION_NOTIFY_STARTED;
}
static inline bool cmhd_is_completed(enum MHD_RequestTerminationCode code) {
  return code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
}
static inline bool cmhd_is_shutdown(enum MHD_RequestTerminationCode code) {
  return code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN;
}
static inline ssize_t cmhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t cmhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

#endif
