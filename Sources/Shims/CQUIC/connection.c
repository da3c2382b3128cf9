// One QUIC connection: the library's object, its TLS session, and the translation of its callbacks.
#include "cquic_internal.h"

#include <stdlib.h>
#include <string.h>

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
  ngtcp2_path path = cquic_path(connection, remote);
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
  ngtcp2_path path = cquic_path(connection, remote);
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
