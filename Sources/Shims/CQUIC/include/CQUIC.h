// QUIC (RFC 9000, 9001, 9221) through ngtcp2 and GnuTLS, without their types: opaque pointers,
// plain structs and one table of callbacks. Scheduling, send buffers and the judgement of keys are
// the caller's. Times are monotonic nanoseconds. Written for ngtcp2 0.12 and 1.x.
#ifndef CQUIC_H
#define CQUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CQUIC_CONNECTION_ID_BYTES 16
#define CQUIC_CONNECTION_ID_BYTES_MAX 20
#define CQUIC_KEY_BYTES 32
#define CQUIC_PACKET_BYTES_MAX 1500

// Results of the write functions that are not packet lengths. Others below zero are library errors,
// which `cquic_connection_write_close_for` turns into a CONNECTION_CLOSE.
#define CQUIC_WRITE_MORE (-1000001)     // data taken, the packet has room for more
#define CQUIC_STREAM_BLOCKED (-1000002) // the peer's flow control holds this stream back
#define CQUIC_STREAM_ENDED (-1000003)   // the stream is shut or gone

// Results of reading a packet.
#define CQUIC_READ_OK 0
#define CQUIC_READ_DRAINING (-1000010) // the peer has closed the connection
#define CQUIC_READ_DROP (-1000011)     // the connection must vanish without a word
#define CQUIC_READ_RETRY (-1000012)    // the server must ask for a Retry round trip

// Results of handling a timer.
#define CQUIC_EXPIRY_IDLE (-1000020)
#define CQUIC_EXPIRY_HANDSHAKE (-1000021)

// Why the peer's certificate cannot be judged by its key.
#define CQUIC_CERTIFICATE_OK 0
#define CQUIC_CERTIFICATE_MISSING 1
#define CQUIC_CERTIFICATE_NOT_ED25519 2
#define CQUIC_PROTOCOL_MISMATCH 3

// What an identity presents. Everything but ED25519 is there to prove that it is refused.
#define CQUIC_CREDENTIAL_ED25519 0
#define CQUIC_CREDENTIAL_NONE 1
#define CQUIC_CREDENTIAL_ECDSA 2

typedef struct cquic_identity cquic_identity;
typedef struct cquic_connection cquic_connection;

typedef struct cquic_id {
  uint8_t bytes[CQUIC_CONNECTION_ID_BYTES_MAX];
  uint8_t length;
} cquic_id;

typedef struct cquic_address {
  const void *bytes; // sockaddr_in or sockaddr_in6
  uint32_t length;
} cquic_address;

// Called while a connection reads, writes or handles a timer; `owner` is the connection's. They
// must not free the connection. Those that return int report failure of the caller by a value below
// zero.
typedef struct cquic_callbacks {
  // Judges the peer: `key` has 32 bytes, or is NULL with `problem` other than CQUIC_CERTIFICATE_OK.
  // `life` differs between certificates that the peer has made, one per start of its process.
  bool (*verify)(void *owner, const uint8_t *key, uint64_t life, int problem);
  void (*handshake_completed)(void *owner);
  void (*handshake_confirmed)(void *owner);
  int (*stream_data)(void *owner, int64_t stream, bool finished, const uint8_t *data,
                     size_t length);
  // Everything of the stream below `offset` is acknowledged.
  void (*stream_acknowledged)(void *owner, int64_t stream, uint64_t offset);
  void (*stream_closed)(void *owner, int64_t stream, uint64_t code);
  void (*stream_reset)(void *owner, int64_t stream, uint64_t code);
  void (*stream_stopped)(void *owner, int64_t stream, uint64_t code);
  int (*identifier_added)(void *owner, cquic_id identifier);
  void (*identifier_removed)(void *owner, cquic_id identifier);
  void (*datagram)(void *owner, const uint8_t *data, size_t length);
  void (*stateless_reset)(void *owner);
} cquic_callbacks;

typedef struct cquic_settings {
  uint64_t idle_timeout;
  uint64_t handshake_timeout;
  uint64_t connection_window_bytes;
  uint64_t stream_window_bytes;
  uint64_t bidirectional_streams_max;
  uint64_t unidirectional_streams_max;
  uint64_t datagram_frame_bytes_max;
  uint32_t congestion_control; // 0 Reno, 1 CUBIC, 2 BBR
} cquic_settings;

typedef struct cquic_header {
  cquic_id destination;
  cquic_id source;
  uint32_t version;
  const uint8_t *token; // inside the packet
  size_t token_length;
} cquic_header;

typedef struct cquic_statistics {
  uint64_t latest_rtt;
  uint64_t smoothed_rtt;
  uint64_t minimum_rtt;
  uint64_t rtt_variation;
  uint64_t congestion_window_bytes;
  uint64_t bytes_in_flight;
} cquic_statistics;

typedef struct cquic_close_information {
  bool application;
  bool remote;
  uint64_t code;
  uint8_t reason[128];
  size_t reason_length;
} cquic_close_information;

typedef struct cquic_vector {
  uint8_t *base;
  size_t length;
} cquic_vector;

const char *cquic_library_version(void);
const char *cquic_error_text(int64_t error);
void cquic_random(uint8_t *destination, size_t length);

// Identity: the certificate made from the seed, the TLS configuration, and the secrets of tokens.
// NULL with `*error` set (a GnuTLS code) when it cannot be made.
cquic_identity *cquic_identity_new(const uint8_t seed[CQUIC_KEY_BYTES], const char *protocol,
                                   int credential, int *error);
void cquic_identity_free(cquic_identity *identity);
void cquic_identity_public_key(const cquic_identity *identity, uint8_t key[CQUIC_KEY_BYTES]);
const char *cquic_tls_error_text(int error);

// Packets that belong to no connection.
#define CQUIC_ROUTE_SHORT 0
#define CQUIC_ROUTE_LONG 1
#define CQUIC_ROUTE_UNSUPPORTED_VERSION 2
#define CQUIC_ROUTE_MALFORMED (-1)
int cquic_route(const uint8_t *packet, size_t length, cquic_header *header);
// Whether the packet may open a connection; fills the whole header.
bool cquic_accept(const uint8_t *packet, size_t length, cquic_header *header);
int64_t cquic_write_version_negotiation(uint8_t *destination, size_t capacity,
                                        const cquic_header *header);
int64_t cquic_write_stateless_reset(const cquic_identity *identity, uint8_t *destination,
                                    size_t capacity, cquic_id identifier, size_t trigger_length);
int64_t cquic_write_retry(const cquic_identity *identity, uint8_t *destination, size_t capacity,
                          const cquic_header *header, cquic_address remote, uint64_t now);
// Whether the header's token is one of our Retry tokens, still valid; gives the first destination
// id.
bool cquic_verify_retry(const cquic_identity *identity, const cquic_header *header,
                        cquic_address remote, uint64_t timeout, uint64_t now, cquic_id *original);
#define CQUIC_REFUSE_CONNECTION 0x2
#define CQUIC_REFUSE_TOKEN 0xb
int64_t cquic_write_refusal(uint8_t *destination, size_t capacity, const cquic_header *header,
                            uint64_t code);

// Connections.
cquic_connection *cquic_client_new(cquic_identity *identity, const cquic_settings *settings,
                                   const cquic_callbacks *callbacks, void *owner,
                                   cquic_address local, cquic_address remote, uint64_t now,
                                   int *error);
// `original` is the first destination id after a Retry, else NULL.
cquic_connection *cquic_server_new(cquic_identity *identity, const cquic_settings *settings,
                                   const cquic_callbacks *callbacks, void *owner,
                                   cquic_address local, cquic_address remote,
                                   const cquic_header *header, const cquic_id *original,
                                   uint64_t now, int *error);
void cquic_connection_free(cquic_connection *connection);
size_t cquic_connection_identifiers(cquic_connection *connection, cquic_id *identifiers,
                                    size_t capacity);

int64_t cquic_connection_read(cquic_connection *connection, cquic_address remote,
                              const uint8_t *packet, size_t length, uint64_t now);
// Writes one packet. `stream` -1 writes what the library itself wants to say. `*taken` is how many
// bytes of the vectors went in (-1: none). Zero: nothing to send now. The vectors' memory must stay
// in place until acknowledged. `remote` receives the packet's destination.
int64_t cquic_connection_write(cquic_connection *connection, uint8_t *destination, size_t capacity,
                               int64_t stream, bool finish, bool more, const cquic_vector *vectors,
                               size_t count, int64_t *taken, uint8_t remote[28],
                               uint32_t *remote_length, uint64_t now);
int64_t cquic_connection_write_datagram(cquic_connection *connection, uint8_t *destination,
                                        size_t capacity, const uint8_t *data, size_t length,
                                        bool *accepted, uint8_t remote[28],
                                        uint32_t *remote_length, uint64_t now);
int64_t cquic_connection_write_close(cquic_connection *connection, uint8_t *destination,
                                     size_t capacity, uint64_t code, const uint8_t *reason,
                                     size_t reason_length, uint64_t now);
int64_t cquic_connection_write_close_for(cquic_connection *connection, uint8_t *destination,
                                         size_t capacity, int64_t error, uint64_t now);
void cquic_connection_close_information(cquic_connection *connection,
                                        cquic_close_information *information);
// The TLS alert that ended a handshake here, 0 when none.
uint8_t cquic_connection_alert(cquic_connection *connection);

// Tells the pacer that a burst ended. Ignored before the handshake: with no round trip measured the
// pacer assumes 333 ms and would hold the handshake's own packets back.
void cquic_connection_sent(cquic_connection *connection, uint64_t now);
uint64_t cquic_connection_expiry(cquic_connection *connection);
int64_t cquic_connection_handle_expiry(cquic_connection *connection, uint64_t now);
uint64_t cquic_connection_probe_timeout(cquic_connection *connection);
size_t cquic_connection_send_quantum(cquic_connection *connection);
size_t cquic_connection_packet_bytes_max(cquic_connection *connection);
void cquic_connection_keep_alive(cquic_connection *connection, uint64_t interval);
void cquic_connection_statistics(cquic_connection *connection, cquic_statistics *statistics);
void cquic_connection_remote(cquic_connection *connection, uint8_t remote[28], uint32_t *length);

// Streams. Opening gives the stream's id, or a value below zero when the peer allows no more.
int64_t cquic_connection_open_bidirectional(cquic_connection *connection);
int64_t cquic_connection_open_unidirectional(cquic_connection *connection);
// Sends RESET_STREAM and STOP_SENDING, for whichever directions are still open.
void cquic_connection_abandon(cquic_connection *connection, int64_t stream, uint64_t code);
void cquic_connection_extend_stream(cquic_connection *connection, int64_t stream, uint64_t bytes);
void cquic_connection_extend(cquic_connection *connection, uint64_t bytes);
void cquic_connection_extend_bidirectional_streams(cquic_connection *connection, size_t count);

#endif
