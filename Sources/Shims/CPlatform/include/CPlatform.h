// What Swift cannot reach well on Linux: epoll, eventfd, signalfd, batched UDP with segmentation
// offload, and direct access to files. Every function that can fail returns a negative errno value;
// there is no logic here.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Readiness and interest bits, independent of the kernel's numbering.
#define CPLATFORM_READABLE 1u
#define CPLATFORM_WRITABLE 2u
#define CPLATFORM_HANGUP 4u
#define CPLATFORM_FAILED 8u

typedef struct cplatform_event {
  uint64_t tag;
  uint32_t readiness;
} cplatform_event;

// Monotonic nanoseconds (CLOCK_MONOTONIC).
uint64_t cplatform_monotonic_nanoseconds(void);

int cplatform_poll_create(void);
int cplatform_poll_add(int poll, int descriptor, uint32_t interest, uint64_t tag);
int cplatform_poll_modify(int poll, int descriptor, uint32_t interest, uint64_t tag);
int cplatform_poll_remove(int poll, int descriptor);
// Waits at most `timeout_nanoseconds` (negative: without limit) and returns the number of events.
// An interrupted wait returns 0. Uses epoll_pwait2; a kernel without it gets epoll_pwait, rounded
// up.
int cplatform_poll_wait(int poll, cplatform_event *events, int events_max,
                        int64_t timeout_nanoseconds);

int cplatform_wake_create(void);
int cplatform_wake_signal(int wake);
int cplatform_wake_drain(int wake);

// Blocks the signals in the calling thread (and threads it starts later).
int cplatform_signals_block(const int *signals, size_t count);
int cplatform_signals_create(const int *signals, size_t count);
// Returns the next signal number, 0 when none is pending.
int cplatform_signals_next(int descriptor);

int cplatform_close(int descriptor);

// Unix stream sockets. All are closed on exec and do not block.

// The most bytes a path may have.
#define CPLATFORM_LOCAL_PATH_BYTES_MAX 107
// Binds and listens; the file can be used by its owner alone from its first moment.
int cplatform_local_listen(const char *path, int backlog);
int cplatform_local_accept(int listener);
// The connection is there, or the error is; nothing is ever in progress.
int cplatform_local_connect(const char *path);
int64_t cplatform_local_send(int descriptor, const uint8_t *data, size_t length);
int64_t cplatform_local_receive(int descriptor, uint8_t *data, size_t capacity);
// Waits for reading or writing: 1, or 0 when the time is over.
int cplatform_wait(int descriptor, bool for_writing, int64_t timeout_nanoseconds);

// A socket address as the kernel lays it out (sockaddr_in or sockaddr_in6).
typedef struct cplatform_address {
  uint8_t bytes[28];
  uint32_t length;
} cplatform_address;

typedef struct cplatform_udp_options {
  int receive_buffer_bytes;
  int send_buffer_bytes;
} cplatform_udp_options;

typedef struct cplatform_udp_abilities {
  bool segments_on_send;    // UDP_SEGMENT
  bool coalesces_on_receive; // UDP_GRO
} cplatform_udp_abilities;

// Opens a non-blocking UDP socket bound to `address`, which is overwritten with the bound address.
int cplatform_udp_open(cplatform_address *address, const cplatform_udp_options *options,
                       cplatform_udp_abilities *abilities);

// One entry of a socket's error queue: an ICMP message about an earlier packet, or a local refusal
// to send one.
typedef struct cplatform_udp_error {
  cplatform_address destination; // where the packet was to go
  bool port_unreachable;         // the destination itself says that nobody has the port
} cplatform_udp_error;

// Takes the next entry: 1, or 0 when there is none. Each entry also fails one later call on the
// socket; taking the last one clears that.
int cplatform_udp_next_error(int descriptor, cplatform_udp_error *error);

// One receive slot: `length` bytes at `data`, in datagrams of `segment_bytes` (the last may be
// shorter).
typedef struct cplatform_datagrams {
  const uint8_t *data;
  size_t length;
  size_t segment_bytes;
  const uint8_t *address;
  uint32_t address_length;
  bool truncated;
} cplatform_datagrams;

typedef struct cplatform_receiver cplatform_receiver;
cplatform_receiver *cplatform_receiver_new(size_t slots, size_t slot_bytes);
void cplatform_receiver_free(cplatform_receiver *receiver);
// Fills the slots and returns how many hold data; 0 when nothing is waiting.
int cplatform_receiver_fill(cplatform_receiver *receiver, int descriptor);
cplatform_datagrams cplatform_receiver_slot(const cplatform_receiver *receiver, size_t slot);

// Sends `length` bytes as datagrams of `segment_bytes`, in one system call where the kernel
// segments and in one sendmmsg otherwise. Returns the bytes taken, or a negative errno value when
// none was.
int64_t cplatform_udp_send(int descriptor, const void *address, uint32_t address_length,
                           const uint8_t *data, size_t length, size_t segment_bytes,
                           bool segments_on_send);

// The flag of open(2) for reads and writes past the kernel's cache (O_DIRECT).
int cplatform_direct_flag(void);
// Reserves room for a file's first `byte_count` bytes and makes it that long (fallocate).
int cplatform_reserve(int descriptor, int64_t byte_count);

#endif
