#ifndef CQUIC_INTERNAL_H
#define CQUIC_INTERNAL_H

#include "CQUIC.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

// The library's first stable interface renamed types and split arguments.
#define CQUIC_STABLE_LIBRARY (NGTCP2_VERSION_NUM >= 0x010000)

struct cquic_identity {
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
  gnutls_datum_t protocol;
  uint8_t public_key[CQUIC_KEY_BYTES];
  uint8_t reset_secret[32];
  uint8_t token_secret[32];
};

struct cquic_connection {
  ngtcp2_conn *library;
  gnutls_session_t session;
  ngtcp2_crypto_conn_ref reference;
  cquic_callbacks callbacks;
  void *owner;
  cquic_identity *identity;
  // Later library versions assert that time never goes back, so each connection clamps it.
  uint64_t latest_time;
  ngtcp2_sockaddr_union local;
  uint32_t local_length;
};

// Makes the TLS session of a connection; a GnuTLS error code or 0.
int cquic_tls_start(cquic_connection *connection, bool server);

static inline uint64_t cquic_clamped(cquic_connection *connection, uint64_t now) {
  if (now > connection->latest_time)
    connection->latest_time = now;
  return connection->latest_time;
}

static inline ngtcp2_path cquic_path(cquic_connection *connection, cquic_address remote) {
  ngtcp2_path path = {
      .local = {.addr = &connection->local.sa, .addrlen = connection->local_length},
      .remote = {.addr = (ngtcp2_sockaddr *)(uintptr_t)remote.bytes, .addrlen = remote.length},
  };
  return path;
}

static inline cquic_id cquic_id_from(const ngtcp2_cid *identifier) {
  cquic_id result = {.length = (uint8_t)identifier->datalen};
  for (size_t index = 0; index < identifier->datalen; index++)
    result.bytes[index] = identifier->data[index];
  return result;
}

static inline ngtcp2_cid cquic_id_to(const cquic_id *identifier) {
  ngtcp2_cid result;
  ngtcp2_cid_init(&result, identifier->bytes, identifier->length);
  return result;
}

#endif
