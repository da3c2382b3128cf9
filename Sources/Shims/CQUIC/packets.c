// Packets that belong to no connection: routing, Retry, version negotiation, stateless reset.
#include "cquic_internal.h"

#include <string.h>

void cquic_random(uint8_t *destination, size_t length) {
  if (gnutls_rnd(GNUTLS_RND_RANDOM, destination, length) < 0)
    __builtin_trap();
}

static cquic_id id_of(const uint8_t *bytes, size_t length) {
  cquic_id identifier = {.length = (uint8_t)length};
  if (length > 0)
    memcpy(identifier.bytes, bytes, length);
  return identifier;
}

int cquic_route(const uint8_t *packet, size_t length, cquic_header *header) {
  ngtcp2_version_cid ids;
  memset(header, 0, sizeof *header);
  int result = ngtcp2_pkt_decode_version_cid(&ids, packet, length, CQUIC_CONNECTION_ID_BYTES);
  if (result != 0 && result != NGTCP2_ERR_VERSION_NEGOTIATION)
    return CQUIC_ROUTE_MALFORMED;
  if (ids.dcidlen > CQUIC_CONNECTION_ID_BYTES_MAX || ids.scidlen > CQUIC_CONNECTION_ID_BYTES_MAX)
    return CQUIC_ROUTE_MALFORMED;
  header->version = ids.version;
  header->destination = id_of(ids.dcid, ids.dcidlen);
  header->source = id_of(ids.scid, ids.scidlen);
  if (result == NGTCP2_ERR_VERSION_NEGOTIATION)
    return CQUIC_ROUTE_UNSUPPORTED_VERSION;
  return (packet[0] & 0x80) != 0 ? CQUIC_ROUTE_LONG : CQUIC_ROUTE_SHORT;
}

bool cquic_accept(const uint8_t *packet, size_t length, cquic_header *header) {
  ngtcp2_pkt_hd decoded;
  if (ngtcp2_accept(&decoded, packet, length) != 0)
    return false;
  header->destination = cquic_id_from(&decoded.dcid);
  header->source = cquic_id_from(&decoded.scid);
  header->version = decoded.version;
#if CQUIC_STABLE_LIBRARY
  header->token = decoded.token;
  header->token_length = decoded.tokenlen;
#else
  header->token = decoded.token.base;
  header->token_length = decoded.token.len;
#endif
  return true;
}

int64_t cquic_write_version_negotiation(uint8_t *destination, size_t capacity,
                                        const cquic_header *header) {
  static const uint32_t supported[] = {NGTCP2_PROTO_VER_V1};
  uint8_t unused;
  cquic_random(&unused, 1);
  return ngtcp2_pkt_write_version_negotiation(
      destination, capacity, unused, header->source.bytes, header->source.length,
      header->destination.bytes, header->destination.length, supported, 1);
}

int64_t cquic_write_stateless_reset(const cquic_identity *identity, uint8_t *destination,
                                    size_t capacity, cquic_id identifier, size_t trigger_length) {
  // One byte less than what caused it, so that two endpoints cannot answer each other for ever
  // (RFC 9000, section 10.3.3); 43 bytes look like any small packet.
  size_t length = trigger_length - 1 < 43 ? trigger_length - 1 : 43;
  if (trigger_length < 22 || capacity < length ||
      length < NGTCP2_STATELESS_RESET_TOKENLEN + NGTCP2_MIN_STATELESS_RESET_RANDLEN)
    return 0;
  uint8_t random[43];
  size_t random_length = length - NGTCP2_STATELESS_RESET_TOKENLEN;
  cquic_random(random, random_length);
  uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
  ngtcp2_cid cid = cquic_id_to(&identifier);
  if (ngtcp2_crypto_generate_stateless_reset_token(token, identity->reset_secret,
                                                   sizeof identity->reset_secret, &cid) != 0)
    return 0;
  return ngtcp2_pkt_write_stateless_reset(destination, capacity, token, random, random_length);
}

int64_t cquic_write_retry(const cquic_identity *identity, uint8_t *destination, size_t capacity,
                          const cquic_header *header, cquic_address remote, uint64_t now) {
  ngtcp2_cid original = cquic_id_to(&header->destination);
  ngtcp2_cid peer = cquic_id_to(&header->source);
  ngtcp2_cid ours = {.datalen = CQUIC_CONNECTION_ID_BYTES};
  cquic_random(ours.data, ours.datalen);
  uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN];
  ngtcp2_ssize length = ngtcp2_crypto_generate_retry_token(
      token, identity->token_secret, sizeof identity->token_secret, header->version, remote.bytes,
      remote.length, &ours, &original, now);
  if (length < 0)
    return 0;
  return ngtcp2_crypto_write_retry(destination, capacity, header->version, &peer, &ours, &original,
                                   token, (size_t)length);
}

bool cquic_verify_retry(const cquic_identity *identity, const cquic_header *header,
                        cquic_address remote, uint64_t timeout, uint64_t now, cquic_id *original) {
  ngtcp2_cid destination = cquic_id_to(&header->destination);
  ngtcp2_cid first;
  if (header->token_length == 0 || header->token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY)
    return false;
  if (ngtcp2_crypto_verify_retry_token(&first, header->token, header->token_length,
                                       identity->token_secret, sizeof identity->token_secret,
                                       header->version, remote.bytes, remote.length, &destination,
                                       timeout, now) != 0)
    return false;
  *original = cquic_id_from(&first);
  return true;
}

int64_t cquic_write_refusal(uint8_t *destination, size_t capacity, const cquic_header *header,
                            uint64_t code) {
  ngtcp2_cid peer = cquic_id_to(&header->source);
  ngtcp2_cid ours = cquic_id_to(&header->destination);
  return ngtcp2_crypto_write_connection_close(destination, capacity, header->version, &peer, &ours,
                                              code, NULL, 0);
}

const char *cquic_library_version(void) { return ngtcp2_version(0)->version_str; }

const char *cquic_error_text(int64_t error) { return ngtcp2_strerror((int)error); }
