// What a connection reads, writes and is asked: packets, closing, time, streams.
#include "cquic_internal.h"

#include <string.h>

int64_t cquic_connection_read(cquic_connection *connection, cquic_address remote,
                              const uint8_t *packet, size_t length, uint64_t now) {
  ngtcp2_path path = cquic_path(connection, remote);
  ngtcp2_pkt_info information = {0};
  int result = ngtcp2_conn_read_pkt(connection->library, &path, &information, packet, length,
                                    cquic_clamped(connection, now));
  switch (result) {
  case 0:
    return CQUIC_READ_OK;
  case NGTCP2_ERR_DRAINING:
  case NGTCP2_ERR_CLOSING:
    return CQUIC_READ_DRAINING;
  case NGTCP2_ERR_DROP_CONN:
    return CQUIC_READ_DROP;
  case NGTCP2_ERR_RETRY:
    return CQUIC_READ_RETRY;
  default:
    return result;
  }
}

static void copy_remote(const ngtcp2_path_storage *storage, uint8_t *remote, uint32_t *length) {
  size_t count = storage->path.remote.addrlen;
  if (count > 28)
    count = 28;
  memcpy(remote, storage->path.remote.addr, count);
  *length = (uint32_t)count;
}

static int64_t translated(ngtcp2_ssize result) {
  switch (result) {
  case NGTCP2_ERR_WRITE_MORE:
    return CQUIC_WRITE_MORE;
  case NGTCP2_ERR_STREAM_DATA_BLOCKED:
    return CQUIC_STREAM_BLOCKED;
  case NGTCP2_ERR_STREAM_SHUT_WR:
  case NGTCP2_ERR_STREAM_NOT_FOUND:
    return CQUIC_STREAM_ENDED;
  default:
    return result;
  }
}

int64_t cquic_connection_write(cquic_connection *connection, uint8_t *destination, size_t capacity,
                               int64_t stream, bool finish_stream, bool more,
                               const cquic_vector *vectors, size_t count, int64_t *taken,
                               uint8_t remote[28], uint32_t *remote_length, uint64_t now) {
  ngtcp2_path_storage storage;
  ngtcp2_path_storage_zero(&storage);
  ngtcp2_pkt_info information;
  uint32_t flags = (finish_stream ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0) |
                   (more ? NGTCP2_WRITE_STREAM_FLAG_MORE : 0);
  ngtcp2_vec data[8];
  if (count > 8)
    count = 8;
  for (size_t index = 0; index < count; index++) {
    data[index].base = vectors[index].base;
    data[index].len = vectors[index].length;
  }
  ngtcp2_ssize consumed = -1;
  ngtcp2_ssize result = ngtcp2_conn_writev_stream(
      connection->library, &storage.path, &information, destination, capacity, &consumed, flags,
      stream, data, count, cquic_clamped(connection, now));
  *taken = consumed;
  if (result > 0)
    copy_remote(&storage, remote, remote_length);
  return translated(result);
}

int64_t cquic_connection_write_datagram(cquic_connection *connection, uint8_t *destination,
                                        size_t capacity, const uint8_t *data, size_t length,
                                        bool *accepted, uint8_t remote[28],
                                        uint32_t *remote_length, uint64_t now) {
  ngtcp2_path_storage storage;
  ngtcp2_path_storage_zero(&storage);
  ngtcp2_pkt_info information;
  ngtcp2_vec vector = {.base = (uint8_t *)(uintptr_t)data, .len = length};
  int taken = 0;
  ngtcp2_ssize result = ngtcp2_conn_writev_datagram(
      connection->library, &storage.path, &information, destination, capacity, &taken,
      NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &vector, 1, cquic_clamped(connection, now));
  *accepted = taken != 0;
  if (result > 0)
    copy_remote(&storage, remote, remote_length);
  return translated(result);
}

#if CQUIC_STABLE_LIBRARY
typedef ngtcp2_ccerr close_error;
static void close_application(close_error *error, uint64_t code, const uint8_t *reason,
                              size_t length) {
  ngtcp2_ccerr_set_application_error(error, code, reason, length);
}
static void close_library(close_error *error, int result) {
  ngtcp2_ccerr_set_liberr(error, result, NULL, 0);
}
static void close_alert(close_error *error, uint8_t alert) {
  ngtcp2_ccerr_set_tls_alert(error, alert, NULL, 0);
}
#else
typedef ngtcp2_connection_close_error close_error;
static void close_application(close_error *error, uint64_t code, const uint8_t *reason,
                              size_t length) {
  ngtcp2_connection_close_error_set_application_error(error, code, reason, length);
}
static void close_library(close_error *error, int result) {
  ngtcp2_connection_close_error_set_transport_error_liberr(error, result, NULL, 0);
}
static void close_alert(close_error *error, uint8_t alert) {
  ngtcp2_connection_close_error_set_transport_error_tls_alert(error, alert, NULL, 0);
}
#endif

static int64_t write_close(cquic_connection *connection, uint8_t *destination, size_t capacity,
                           const close_error *error, uint64_t now) {
  ngtcp2_path_storage storage;
  ngtcp2_path_storage_zero(&storage);
  ngtcp2_pkt_info information;
  return ngtcp2_conn_write_connection_close(connection->library, &storage.path, &information,
                                            destination, capacity, error,
                                            cquic_clamped(connection, now));
}

int64_t cquic_connection_write_close(cquic_connection *connection, uint8_t *destination,
                                     size_t capacity, uint64_t code, const uint8_t *reason,
                                     size_t reason_length, uint64_t now) {
  close_error error;
  close_application(&error, code, reason, reason_length);
  return write_close(connection, destination, capacity, &error, now);
}

int64_t cquic_connection_write_close_for(cquic_connection *connection, uint8_t *destination,
                                         size_t capacity, int64_t result, uint64_t now) {
  close_error error;
  uint8_t alert = ngtcp2_conn_get_tls_alert(connection->library);
  if (result == NGTCP2_ERR_CRYPTO && alert != 0)
    close_alert(&error, alert);
  else
    close_library(&error, (int)result);
  return write_close(connection, destination, capacity, &error, now);
}

void cquic_connection_close_information(cquic_connection *connection,
                                        cquic_close_information *information) {
  memset(information, 0, sizeof *information);
#if CQUIC_STABLE_LIBRARY
  const ngtcp2_ccerr *error = ngtcp2_conn_get_ccerr(connection->library);
  information->application = error->type == NGTCP2_CCERR_TYPE_APPLICATION;
#else
  close_error storage;
  ngtcp2_conn_get_connection_close_error(connection->library, &storage);
  const close_error *error = &storage;
  information->application = error->type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION;
#endif
#if CQUIC_STABLE_LIBRARY
  information->remote = ngtcp2_conn_in_draining_period(connection->library) != 0;
#else
  information->remote = ngtcp2_conn_is_in_draining_period(connection->library) != 0;
#endif
  information->code = error->error_code;
  size_t length = error->reasonlen;
  if (length > sizeof information->reason)
    length = sizeof information->reason;
  if (length > 0)
    memcpy(information->reason, error->reason, length);
  information->reason_length = length;
}

uint8_t cquic_connection_alert(cquic_connection *connection) {
  return ngtcp2_conn_get_tls_alert(connection->library);
}

// Time and state

void cquic_connection_sent(cquic_connection *connection, uint64_t now) {
  if (ngtcp2_conn_get_handshake_completed(connection->library))
    ngtcp2_conn_update_pkt_tx_time(connection->library, cquic_clamped(connection, now));
}

uint64_t cquic_connection_expiry(cquic_connection *connection) {
  return ngtcp2_conn_get_expiry(connection->library);
}

int64_t cquic_connection_handle_expiry(cquic_connection *connection, uint64_t now) {
  int result = ngtcp2_conn_handle_expiry(connection->library, cquic_clamped(connection, now));
  if (result == NGTCP2_ERR_IDLE_CLOSE)
    return CQUIC_EXPIRY_IDLE;
  if (result == NGTCP2_ERR_HANDSHAKE_TIMEOUT)
    return CQUIC_EXPIRY_HANDSHAKE;
  return result;
}

uint64_t cquic_connection_probe_timeout(cquic_connection *connection) {
  return ngtcp2_conn_get_pto(connection->library);
}

size_t cquic_connection_send_quantum(cquic_connection *connection) {
  return ngtcp2_conn_get_send_quantum(connection->library);
}

size_t cquic_connection_packet_bytes_max(cquic_connection *connection) {
  return ngtcp2_conn_get_max_tx_udp_payload_size(connection->library);
}

void cquic_connection_keep_alive(cquic_connection *connection, uint64_t interval) {
  ngtcp2_conn_set_keep_alive_timeout(connection->library, interval);
}

void cquic_connection_statistics(cquic_connection *connection, cquic_statistics *statistics) {
#if CQUIC_STABLE_LIBRARY
  ngtcp2_conn_info values;
  ngtcp2_conn_get_conn_info(connection->library, &values);
#else
  ngtcp2_conn_stat values;
  ngtcp2_conn_get_conn_stat(connection->library, &values);
#endif
  statistics->latest_rtt = values.latest_rtt;
  statistics->smoothed_rtt = values.smoothed_rtt;
  statistics->minimum_rtt = values.min_rtt;
  statistics->rtt_variation = values.rttvar;
  statistics->congestion_window_bytes = values.cwnd;
  statistics->bytes_in_flight = values.bytes_in_flight;
}

void cquic_connection_remote(cquic_connection *connection, uint8_t remote[28], uint32_t *length) {
  const ngtcp2_path *path = ngtcp2_conn_get_path(connection->library);
  size_t count = path->remote.addrlen < 28 ? path->remote.addrlen : 28;
  memcpy(remote, path->remote.addr, count);
  *length = (uint32_t)count;
}

// Streams

int64_t cquic_connection_open_bidirectional(cquic_connection *connection) {
  int64_t stream = -1;
  int result = ngtcp2_conn_open_bidi_stream(connection->library, &stream, NULL);
  return result == 0 ? stream : result;
}

int64_t cquic_connection_open_unidirectional(cquic_connection *connection) {
  int64_t stream = -1;
  int result = ngtcp2_conn_open_uni_stream(connection->library, &stream, NULL);
  return result == 0 ? stream : result;
}

void cquic_connection_abandon(cquic_connection *connection, int64_t stream, uint64_t code) {
#if CQUIC_STABLE_LIBRARY
  ngtcp2_conn_shutdown_stream(connection->library, 0, stream, code);
#else
  ngtcp2_conn_shutdown_stream(connection->library, stream, code);
#endif
}

void cquic_connection_extend_stream(cquic_connection *connection, int64_t stream, uint64_t bytes) {
  ngtcp2_conn_extend_max_stream_offset(connection->library, stream, bytes);
}

void cquic_connection_extend(cquic_connection *connection, uint64_t bytes) {
  ngtcp2_conn_extend_max_offset(connection->library, bytes);
}

void cquic_connection_extend_bidirectional_streams(cquic_connection *connection, size_t count) {
  ngtcp2_conn_extend_max_streams_bidi(connection->library, count);
}
