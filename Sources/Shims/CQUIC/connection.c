// One QUIC connection: the library's object, its TLS session, and the translation of its callbacks.
#include "cquic_internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t clamped(cquic_connection *connection, uint64_t now) {
  if (now > connection->latest_time)
    connection->latest_time = now;
  return connection->latest_time;
}

// Callbacks

static void on_random(uint8_t *destination, size_t length, const ngtcp2_rand_ctx *context) {
  (void)context;
  cquic_random(destination, length);
}

static int on_handshake_completed(ngtcp2_conn *library, void *user_data) {
  (void)library;
  cquic_connection *connection = user_data;
  connection->callbacks.handshake_completed(connection->owner);
  return 0;
}

static int on_handshake_confirmed(ngtcp2_conn *library, void *user_data) {
  (void)library;
  cquic_connection *connection = user_data;
  connection->callbacks.handshake_confirmed(connection->owner);
  return 0;
}

static int on_stream_data(ngtcp2_conn *library, uint32_t flags, int64_t stream, uint64_t offset,
                          const uint8_t *data, size_t length, void *user_data,
                          void *stream_user_data) {
  (void)library;
  (void)offset;
  (void)stream_user_data;
  cquic_connection *connection = user_data;
  int result = connection->callbacks.stream_data(
      connection->owner, stream, (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0, data, length);
  return result < 0 ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_acknowledged(ngtcp2_conn *library, int64_t stream, uint64_t offset, uint64_t length,
                           void *user_data, void *stream_user_data) {
  (void)library;
  (void)stream_user_data;
  cquic_connection *connection = user_data;
  connection->callbacks.stream_acknowledged(connection->owner, stream, offset + length);
  return 0;
}

static int on_stream_close(ngtcp2_conn *library, uint32_t flags, int64_t stream, uint64_t code,
                           void *user_data, void *stream_user_data) {
  (void)library;
  (void)stream_user_data;
  cquic_connection *connection = user_data;
  bool has_code = (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) != 0;
  connection->callbacks.stream_closed(connection->owner, stream, has_code ? code : 0);
  return 0;
}

static int on_stream_reset(ngtcp2_conn *library, int64_t stream, uint64_t final_size, uint64_t code,
                           void *user_data, void *stream_user_data) {
  (void)library;
  (void)final_size;
  (void)stream_user_data;
  cquic_connection *connection = user_data;
  connection->callbacks.stream_reset(connection->owner, stream, code);
  return 0;
}

static int on_stop_sending(ngtcp2_conn *library, int64_t stream, uint64_t code, void *user_data,
                           void *stream_user_data) {
  (void)library;
  (void)stream_user_data;
  cquic_connection *connection = user_data;
  connection->callbacks.stream_stopped(connection->owner, stream, code);
  return 0;
}

static int on_new_identifier(ngtcp2_conn *library, ngtcp2_cid *identifier, uint8_t *token,
                             size_t length, void *user_data) {
  (void)library;
  cquic_connection *connection = user_data;
  cquic_random(identifier->data, length);
  identifier->datalen = length;
  const cquic_identity *identity = connection->identity;
  if (ngtcp2_crypto_generate_stateless_reset_token(
          token, identity->reset_secret, sizeof identity->reset_secret, identifier) != 0)
    return NGTCP2_ERR_CALLBACK_FAILURE;
  int result = connection->callbacks.identifier_added(connection->owner, cquic_id_from(identifier));
  return result < 0 ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_remove_identifier(ngtcp2_conn *library, const ngtcp2_cid *identifier,
                                void *user_data) {
  (void)library;
  cquic_connection *connection = user_data;
  connection->callbacks.identifier_removed(connection->owner, cquic_id_from(identifier));
  return 0;
}

static int on_datagram(ngtcp2_conn *library, uint32_t flags, const uint8_t *data, size_t length,
                       void *user_data) {
  (void)library;
  (void)flags;
  cquic_connection *connection = user_data;
  connection->callbacks.datagram(connection->owner, data, length);
  return 0;
}

static int on_stateless_reset(ngtcp2_conn *library, const ngtcp2_pkt_stateless_reset *reset,
                              void *user_data) {
  (void)library;
  (void)reset;
  cquic_connection *connection = user_data;
  connection->callbacks.stateless_reset(connection->owner);
  return 0;
}

static ngtcp2_callbacks callbacks_for(bool server) {
  ngtcp2_callbacks callbacks = {
      .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
      .encrypt = ngtcp2_crypto_encrypt_cb,
      .decrypt = ngtcp2_crypto_decrypt_cb,
      .hp_mask = ngtcp2_crypto_hp_mask_cb,
      .update_key = ngtcp2_crypto_update_key_cb,
      .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
      .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
      .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
      .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
      .rand = on_random,
      .handshake_completed = on_handshake_completed,
      .handshake_confirmed = on_handshake_confirmed,
      .recv_stream_data = on_stream_data,
      .acked_stream_data_offset = on_acknowledged,
      .stream_close = on_stream_close,
      .stream_reset = on_stream_reset,
      .stream_stop_sending = on_stop_sending,
      .get_new_connection_id = on_new_identifier,
      .remove_connection_id = on_remove_identifier,
      .recv_datagram = on_datagram,
      .recv_stateless_reset = on_stateless_reset,
  };
  if (server) {
    callbacks.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  } else {
    callbacks.client_initial = ngtcp2_crypto_client_initial_cb;
    callbacks.recv_retry = ngtcp2_crypto_recv_retry_cb;
  }
  return callbacks;
}

// Making and freeing

static void fill_settings(ngtcp2_settings *target, const cquic_settings *settings, uint64_t now) {
  ngtcp2_settings_default(target);
  target->initial_ts = now;
  target->handshake_timeout = settings->handshake_timeout;
  target->cc_algo = settings->congestion_control == 0   ? NGTCP2_CC_ALGO_RENO
                    : settings->congestion_control == 2 ? NGTCP2_CC_ALGO_BBR
                                                        : NGTCP2_CC_ALGO_CUBIC;
}

static void fill_parameters(ngtcp2_transport_params *target, const cquic_settings *settings) {
  ngtcp2_transport_params_default(target);
  target->initial_max_data = settings->connection_window_bytes;
  target->initial_max_stream_data_bidi_local = settings->stream_window_bytes;
  target->initial_max_stream_data_bidi_remote = settings->stream_window_bytes;
  target->initial_max_stream_data_uni = settings->stream_window_bytes;
  target->initial_max_streams_bidi = settings->bidirectional_streams_max;
  target->initial_max_streams_uni = settings->unidirectional_streams_max;
  target->max_idle_timeout = settings->idle_timeout;
  target->max_datagram_frame_size = settings->datagram_frame_bytes_max;
  target->active_connection_id_limit = 4;
}

static cquic_connection *allocate(cquic_identity *identity, const cquic_callbacks *callbacks,
                                  void *owner, cquic_address local, uint64_t now) {
  cquic_connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL || local.length > sizeof connection->local) {
    free(connection);
    return NULL;
  }
  connection->identity = identity;
  connection->callbacks = *callbacks;
  connection->owner = owner;
  connection->latest_time = now;
  memcpy(&connection->local, local.bytes, local.length);
  connection->local_length = local.length;
  return connection;
}

static ngtcp2_path path_to(cquic_connection *connection, cquic_address remote) {
  ngtcp2_path path = {
      .local = {.addr = &connection->local.sa, .addrlen = connection->local_length},
      .remote = {.addr = (ngtcp2_sockaddr *)(uintptr_t)remote.bytes, .addrlen = remote.length},
  };
  return path;
}

static cquic_connection *finish(cquic_connection *connection, int library_result, bool server,
                                int *error) {
  int result = library_result;
  if (result == 0) {
    result = cquic_tls_start(connection, server);
    if (result == 0)
      ngtcp2_conn_set_tls_native_handle(connection->library, connection->session);
  }
  if (result == 0)
    return connection;
  *error = result;
  cquic_connection_free(connection);
  return NULL;
}

cquic_connection *cquic_client_new(cquic_identity *identity, const cquic_settings *settings,
                                   const cquic_callbacks *callbacks, void *owner,
                                   cquic_address local, cquic_address remote, uint64_t now,
                                   int *error) {
  cquic_connection *connection = allocate(identity, callbacks, owner, local, now);
  if (connection == NULL) {
    *error = NGTCP2_ERR_NOMEM;
    return NULL;
  }
  ngtcp2_settings library_settings;
  fill_settings(&library_settings, settings, now);
  ngtcp2_transport_params parameters;
  fill_parameters(&parameters, settings);
  ngtcp2_callbacks table = callbacks_for(false);
  ngtcp2_cid destination = {.datalen = 18};
  cquic_random(destination.data, destination.datalen);
  ngtcp2_cid source = {.datalen = CQUIC_CONNECTION_ID_BYTES};
  cquic_random(source.data, source.datalen);
  ngtcp2_path path = path_to(connection, remote);
  int result = ngtcp2_conn_client_new(&connection->library, &destination, &source, &path,
                                      NGTCP2_PROTO_VER_V1, &table, &library_settings, &parameters,
                                      NULL, connection);
  return finish(connection, result, false, error);
}

static void set_token(ngtcp2_settings *settings, const cquic_header *header) {
#if CQUIC_STABLE_LIBRARY
  settings->token = header->token;
  settings->tokenlen = header->token_length;
  settings->token_type = NGTCP2_TOKEN_TYPE_RETRY;
#else
  settings->token.base = (uint8_t *)(uintptr_t)header->token;
  settings->token.len = header->token_length;
#endif
}

cquic_connection *cquic_server_new(cquic_identity *identity, const cquic_settings *settings,
                                   const cquic_callbacks *callbacks, void *owner,
                                   cquic_address local, cquic_address remote,
                                   const cquic_header *header, const cquic_id *original,
                                   uint64_t now, int *error) {
  cquic_connection *connection = allocate(identity, callbacks, owner, local, now);
  if (connection == NULL) {
    *error = NGTCP2_ERR_NOMEM;
    return NULL;
  }
  ngtcp2_settings library_settings;
  fill_settings(&library_settings, settings, now);
  ngtcp2_transport_params parameters;
  fill_parameters(&parameters, settings);
  ngtcp2_cid destination = cquic_id_to(&header->source);
  ngtcp2_cid source = {.datalen = CQUIC_CONNECTION_ID_BYTES};
  cquic_random(source.data, source.datalen);
  parameters.original_dcid = cquic_id_to(original != NULL ? original : &header->destination);
#if CQUIC_STABLE_LIBRARY
  parameters.original_dcid_present = 1;
#endif
  if (original != NULL) {
    parameters.retry_scid = cquic_id_to(&header->destination);
    parameters.retry_scid_present = 1;
    set_token(&library_settings, header);
  }
  parameters.stateless_reset_token_present = 1;
  int result = ngtcp2_crypto_generate_stateless_reset_token(
      parameters.stateless_reset_token, identity->reset_secret, sizeof identity->reset_secret,
      &source);
  ngtcp2_callbacks table = callbacks_for(true);
  ngtcp2_path path = path_to(connection, remote);
  if (result == 0)
    result = ngtcp2_conn_server_new(&connection->library, &destination, &source, &path,
                                    header->version, &table, &library_settings, &parameters, NULL,
                                    connection);
  return finish(connection, result, true, error);
}

void cquic_connection_free(cquic_connection *connection) {
  if (connection == NULL)
    return;
  if (connection->library != NULL)
    ngtcp2_conn_del(connection->library);
  if (connection->session != NULL)
    gnutls_deinit(connection->session);
  free(connection);
}

size_t cquic_connection_identifiers(cquic_connection *connection, cquic_id *identifiers,
                                    size_t capacity) {
#if CQUIC_STABLE_LIBRARY
  size_t count = ngtcp2_conn_get_scid(connection->library, NULL);
#else
  size_t count = ngtcp2_conn_get_num_scid(connection->library);
#endif
  ngtcp2_cid *all = calloc(count > 0 ? count : 1, sizeof *all);
  if (all == NULL)
    return 0;
  ngtcp2_conn_get_scid(connection->library, all);
  size_t copied = count < capacity ? count : capacity;
  for (size_t index = 0; index < copied; index++)
    identifiers[index] = cquic_id_from(&all[index]);
  free(all);
  return copied;
}

// Packets in and out

int64_t cquic_connection_read(cquic_connection *connection, cquic_address remote,
                              const uint8_t *packet, size_t length, uint64_t now) {
  ngtcp2_path path = path_to(connection, remote);
  ngtcp2_pkt_info information = {0};
  int result = ngtcp2_conn_read_pkt(connection->library, &path, &information, packet, length,
                                    clamped(connection, now));
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
      stream, data, count, clamped(connection, now));
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
      NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &vector, 1, clamped(connection, now));
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
                                            clamped(connection, now));
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
    ngtcp2_conn_update_pkt_tx_time(connection->library, clamped(connection, now));
}

uint64_t cquic_connection_expiry(cquic_connection *connection) {
  return ngtcp2_conn_get_expiry(connection->library);
}

int64_t cquic_connection_handle_expiry(cquic_connection *connection, uint64_t now) {
  int result = ngtcp2_conn_handle_expiry(connection->library, clamped(connection, now));
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
