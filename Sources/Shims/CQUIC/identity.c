// The node's certificate and TLS sessions.
//
// A certificate is an X.509 envelope around the node's Ed25519 key: it is signed by itself, names
// nobody, never expires, and is made anew at each start. Only its key is judged; its random serial
// number tells one life of the node's process from the next.
#include "cquic_internal.h"

#include <stdlib.h>
#include <string.h>

static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:%DISABLE_TLS13_COMPAT_MODE";

// PKCS#8 of an Ed25519 private key (RFC 8410, section 7), up to the 32 bytes of the seed.
static const uint8_t pkcs8_prefix[16] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                         0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

static int load_key(gnutls_x509_privkey_t key, const uint8_t *seed, int credential) {
  if (credential == CQUIC_CREDENTIAL_ECDSA)
    return gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                        GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  uint8_t encoded[sizeof pkcs8_prefix + CQUIC_KEY_BYTES];
  memcpy(encoded, pkcs8_prefix, sizeof pkcs8_prefix);
  memcpy(encoded + sizeof pkcs8_prefix, seed, CQUIC_KEY_BYTES);
  gnutls_datum_t datum = {.data = encoded, .size = sizeof encoded};
  int result =
      gnutls_x509_privkey_import_pkcs8(key, &datum, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
  gnutls_memset(encoded, 0, sizeof encoded);
  return result;
}

static int fill_certificate(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
                            int credential) {
  uint8_t serial[8];
  cquic_random(serial, sizeof serial);
  // RFC 5280, section 4.1.2.2: positive, and in DER without a leading zero byte.
  serial[0] = (serial[0] & 0x7f) | 0x40;
  static const char name[] = "swarmoracle";
  gnutls_digest_algorithm_t digest =
      credential == CQUIC_CREDENTIAL_ECDSA ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;
  int result = gnutls_x509_crt_set_version(certificate, 3);
  if (result >= 0)
    result = gnutls_x509_crt_set_serial(certificate, serial, sizeof serial);
  if (result >= 0)
    result = gnutls_x509_crt_set_activation_time(certificate, 0);
  if (result >= 0)
    result = gnutls_x509_crt_set_expiration_time(certificate,
                                                 GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION);
  if (result >= 0)
    result = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                           sizeof name - 1);
  if (result >= 0)
    result = gnutls_x509_crt_set_key(certificate, key);
  if (result >= 0)
    result = gnutls_x509_crt_sign2(certificate, certificate, key, digest, 0);
  return result;
}

// Reads the 32 bytes of an Ed25519 certificate; a value below zero when it holds another kind of
// key.
static int ed25519_key(gnutls_x509_crt_t certificate, uint8_t *key) {
  unsigned bits = 0;
  if (gnutls_x509_crt_get_pk_algorithm(certificate, &bits) != GNUTLS_PK_EDDSA_ED25519)
    return -1;
  gnutls_ecc_curve_t curve;
  gnutls_datum_t point = {NULL, 0};
  if (gnutls_x509_crt_get_pk_ecc_raw(certificate, &curve, &point, NULL) < 0)
    return -1;
  int result = -1;
  if (curve == GNUTLS_ECC_CURVE_ED25519 && point.size == CQUIC_KEY_BYTES) {
    memcpy(key, point.data, CQUIC_KEY_BYTES);
    result = 0;
  }
  gnutls_free(point.data);
  return result;
}

// Folds a certificate's serial number into 64 bits.
static uint64_t life_of(gnutls_x509_crt_t certificate) {
  uint8_t serial[32];
  size_t size = sizeof serial;
  if (gnutls_x509_crt_get_serial(certificate, serial, &size) < 0)
    return 0;
  uint64_t life = 0;
  for (size_t index = 0; index < size; index++)
    life = ((life << 8) | (life >> 56)) ^ serial[index];
  return life;
}

static int make_certificate(cquic_identity *identity, const uint8_t *seed, int credential) {
  gnutls_x509_privkey_t key = NULL;
  gnutls_x509_crt_t certificate = NULL;
  int result = gnutls_x509_privkey_init(&key);
  if (result >= 0)
    result = gnutls_x509_crt_init(&certificate);
  if (result >= 0)
    result = load_key(key, seed, credential);
  if (result >= 0)
    result = fill_certificate(certificate, key, credential);
  if (result >= 0 && credential != CQUIC_CREDENTIAL_ECDSA)
    result = ed25519_key(certificate, identity->public_key);
  if (result >= 0 && credential != CQUIC_CREDENTIAL_NONE)
    result = gnutls_certificate_set_x509_key(identity->credentials, &certificate, 1, key);
  if (certificate != NULL)
    gnutls_x509_crt_deinit(certificate);
  if (key != NULL)
    gnutls_x509_privkey_deinit(key);
  return result;
}

// Secrets that are the same after a restart, so that a reset token sent then is still understood.
static int derive(uint8_t *secret, const uint8_t *seed, const char *label) {
  return gnutls_hmac_fast(GNUTLS_MAC_SHA256, seed, CQUIC_KEY_BYTES, label, strlen(label), secret);
}

static int judge(gnutls_session_t session) {
  ngtcp2_crypto_conn_ref *reference = gnutls_session_get_ptr(session);
  cquic_connection *connection = reference->user_data;
  const cquic_callbacks *callbacks = &connection->callbacks;
  uint8_t key[CQUIC_KEY_BYTES];
  uint64_t life = 0;
  int problem = CQUIC_CERTIFICATE_OK;
  unsigned count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
  gnutls_datum_t chosen = {NULL, 0};
  const gnutls_datum_t *ours = &connection->identity->protocol;
  // The library ignores a peer that offers no protocol at all, so the outcome is compared here.
  if (gnutls_alpn_get_selected_protocol(session, &chosen) < 0 || chosen.size != ours->size ||
      memcmp(chosen.data, ours->data, ours->size) != 0) {
    problem = CQUIC_PROTOCOL_MISMATCH;
  } else if (chain == NULL || count == 0) {
    problem = CQUIC_CERTIFICATE_MISSING;
  } else {
    gnutls_x509_crt_t certificate = NULL;
    problem = CQUIC_CERTIFICATE_NOT_ED25519;
    if (gnutls_x509_crt_init(&certificate) >= 0) {
      if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
          ed25519_key(certificate, key) == 0) {
        problem = CQUIC_CERTIFICATE_OK;
        life = life_of(certificate);
      }
      gnutls_x509_crt_deinit(certificate);
    }
  }
  bool ok = problem == CQUIC_CERTIFICATE_OK;
  bool accepted = callbacks->verify(connection->owner, ok ? key : NULL, life, problem);
  return ok && accepted ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

cquic_identity *cquic_identity_new(const uint8_t seed[CQUIC_KEY_BYTES], const char *protocol,
                                   int credential, int *error) {
  cquic_identity *identity = calloc(1, sizeof *identity);
  if (identity == NULL) {
    *error = GNUTLS_E_MEMORY_ERROR;
    return NULL;
  }
  identity->protocol.data = (unsigned char *)strdup(protocol);
  identity->protocol.size = (unsigned)strlen(protocol);
  int result = identity->protocol.data == NULL ? GNUTLS_E_MEMORY_ERROR : 0;
  if (result >= 0)
    result = gnutls_certificate_allocate_credentials(&identity->credentials);
  if (result >= 0)
    result = gnutls_priority_init(&identity->priority, priorities, NULL);
  if (result >= 0)
    result = make_certificate(identity, seed, credential);
  if (result >= 0)
    result = derive(identity->reset_secret, seed, "swarmoracle stateless reset");
  if (result >= 0)
    result = derive(identity->token_secret, seed, "swarmoracle retry token");
  if (result < 0) {
    *error = result;
    cquic_identity_free(identity);
    return NULL;
  }
  gnutls_certificate_set_verify_function(identity->credentials, judge);
  return identity;
}

void cquic_identity_free(cquic_identity *identity) {
  if (identity == NULL)
    return;
  if (identity->priority != NULL)
    gnutls_priority_deinit(identity->priority);
  if (identity->credentials != NULL)
    gnutls_certificate_free_credentials(identity->credentials);
  free(identity->protocol.data);
  gnutls_memset(identity, 0, sizeof *identity);
  free(identity);
}

void cquic_identity_public_key(const cquic_identity *identity, uint8_t key[CQUIC_KEY_BYTES]) {
  memcpy(key, identity->public_key, CQUIC_KEY_BYTES);
}

const char *cquic_tls_error_text(int error) { return gnutls_strerror(error); }

static ngtcp2_conn *library_of(ngtcp2_crypto_conn_ref *reference) {
  return ((cquic_connection *)reference->user_data)->library;
}

int cquic_tls_start(cquic_connection *connection, bool server) {
  cquic_identity *identity = connection->identity;
  unsigned flags = server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT;
  int result = gnutls_init(&connection->session, flags | GNUTLS_NO_TICKETS);
  if (result < 0)
    return result;
  gnutls_session_t session = connection->session;
  result = gnutls_priority_set(session, identity->priority);
  if (result < 0)
    return result;
  int configured = server ? ngtcp2_crypto_gnutls_configure_server_session(session)
                          : ngtcp2_crypto_gnutls_configure_client_session(session);
  if (configured != 0)
    return GNUTLS_E_INTERNAL_ERROR;
  connection->reference.get_conn = library_of;
  connection->reference.user_data = connection;
  gnutls_session_set_ptr(session, &connection->reference);
  result = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
  if (result < 0)
    return result;
  if (server)
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  return gnutls_alpn_set_protocols(session, &identity->protocol, 1, GNUTLS_ALPN_MANDATORY);
}
