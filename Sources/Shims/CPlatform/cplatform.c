#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Needs the types of <time.h>.
#include <linux/errqueue.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif

#define EVENTS_PER_WAIT 256
#define MESSAGES_PER_SEND 64

uint64_t cplatform_monotonic_nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int result_of(int value) { return value < 0 ? -errno : value; }

// epoll

int cplatform_poll_create(void) { return result_of(epoll_create1(EPOLL_CLOEXEC)); }

static struct epoll_event event_for(uint32_t interest, uint64_t tag) {
  struct epoll_event event = {0};
  if (interest & CPLATFORM_READABLE)
    event.events |= EPOLLIN | EPOLLRDHUP;
  if (interest & CPLATFORM_WRITABLE)
    event.events |= EPOLLOUT;
  event.data.u64 = tag;
  return event;
}

int cplatform_poll_add(int poll, int descriptor, uint32_t interest, uint64_t tag) {
  struct epoll_event event = event_for(interest, tag);
  return result_of(epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event));
}

int cplatform_poll_modify(int poll, int descriptor, uint32_t interest, uint64_t tag) {
  struct epoll_event event = event_for(interest, tag);
  return result_of(epoll_ctl(poll, EPOLL_CTL_MOD, descriptor, &event));
}

int cplatform_poll_remove(int poll, int descriptor) {
  return result_of(epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, NULL));
}

// Set once a kernel has said that it does not know epoll_pwait2.
static atomic_bool coarse_wait_only = false;

static int wait_for(int poll, struct epoll_event *raw, int max, int64_t nanoseconds) {
#ifdef SYS_epoll_pwait2
  if (!atomic_load_explicit(&coarse_wait_only, memory_order_relaxed)) {
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000,
                               .tv_nsec = nanoseconds % 1000000000};
    int count = (int)syscall(SYS_epoll_pwait2, poll, raw, max, nanoseconds < 0 ? NULL : &timeout,
                             NULL, (size_t)0);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM))
      return count;
    atomic_store_explicit(&coarse_wait_only, true, memory_order_relaxed);
  }
#endif
  int64_t milliseconds = nanoseconds < 0 ? -1 : (nanoseconds + 999999) / 1000000;
  if (milliseconds > INT32_MAX)
    milliseconds = INT32_MAX;
  return epoll_pwait(poll, raw, max, (int)milliseconds, NULL);
}

int cplatform_poll_wait(int poll, cplatform_event *events, int events_max,
                        int64_t timeout_nanoseconds) {
  struct epoll_event raw[EVENTS_PER_WAIT];
  if (events_max > EVENTS_PER_WAIT)
    events_max = EVENTS_PER_WAIT;
  int count = wait_for(poll, raw, events_max, timeout_nanoseconds);
  if (count < 0)
    return errno == EINTR ? 0 : -errno;
  for (int index = 0; index < count; index++) {
    uint32_t bits = raw[index].events;
    uint32_t readiness = 0;
    if (bits & EPOLLIN)
      readiness |= CPLATFORM_READABLE;
    if (bits & EPOLLOUT)
      readiness |= CPLATFORM_WRITABLE;
    if (bits & (EPOLLHUP | EPOLLRDHUP))
      readiness |= CPLATFORM_HANGUP;
    if (bits & EPOLLERR)
      readiness |= CPLATFORM_FAILED;
    events[index].tag = raw[index].data.u64;
    events[index].readiness = readiness;
  }
  return count;
}

// eventfd and signalfd

int cplatform_wake_create(void) { return result_of(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int cplatform_wake_signal(int wake) {
  uint64_t one = 1;
  // EAGAIN means that the counter is full, so the reader will wake anyway.
  if (write(wake, &one, sizeof one) < 0 && errno != EAGAIN)
    return -errno;
  return 0;
}

int cplatform_wake_drain(int wake) {
  uint64_t count;
  if (read(wake, &count, sizeof count) < 0 && errno != EAGAIN)
    return -errno;
  return 0;
}

static void fill_set(sigset_t *set, const int *signals, size_t count) {
  sigemptyset(set);
  for (size_t index = 0; index < count; index++)
    sigaddset(set, signals[index]);
}

int cplatform_signals_block(const int *signals, size_t count) {
  sigset_t set;
  fill_set(&set, signals, count);
  return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cplatform_signals_create(const int *signals, size_t count) {
  sigset_t set;
  fill_set(&set, signals, count);
  return result_of(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cplatform_signals_next(int descriptor) {
  struct signalfd_siginfo information;
  ssize_t count = read(descriptor, &information, sizeof information);
  if (count < 0)
    return errno == EAGAIN ? 0 : -errno;
  return (int)information.ssi_signo;
}

// Unix stream sockets

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == CPLATFORM_LOCAL_PATH_BYTES_MAX + 1,
               "the limit of paths is the kernel's");

static bool fill_local(struct sockaddr_un *address, const char *path) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  size_t length = strlen(path);
  if (length == 0 || length > CPLATFORM_LOCAL_PATH_BYTES_MAX)
    return false;
  memcpy(address->sun_path, path, length);
  return true;
}

static int local_socket(void) {
  return result_of(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static int closed_with_error(int descriptor) {
  int result = -errno;
  close(descriptor);
  return result;
}

int cplatform_local_listen(const char *path, int backlog) {
  struct sockaddr_un address;
  if (!fill_local(&address, path))
    return -ENAMETOOLONG;
  int descriptor = local_socket();
  if (descriptor < 0)
    return descriptor;
  // Linux gives the file the mode of the socket it is made from, less the umask.
  if (fchmod(descriptor, S_IRUSR | S_IWUSR) < 0 ||
      bind(descriptor, (const struct sockaddr *)&address, sizeof address) < 0 ||
      listen(descriptor, backlog) < 0)
    return closed_with_error(descriptor);
  return descriptor;
}

int cplatform_local_accept(int listener) {
  return result_of(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int cplatform_local_connect(const char *path) {
  struct sockaddr_un address;
  if (!fill_local(&address, path))
    return -ENAMETOOLONG;
  int descriptor = local_socket();
  if (descriptor < 0)
    return descriptor;
  if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0)
    return closed_with_error(descriptor);
  return descriptor;
}

int64_t cplatform_local_send(int descriptor, const uint8_t *data, size_t length) {
  ssize_t sent = send(descriptor, data, length, MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

int64_t cplatform_local_receive(int descriptor, uint8_t *data, size_t capacity) {
  ssize_t count = recv(descriptor, data, capacity, 0);
  return count < 0 ? -errno : count;
}

int cplatform_wait(int descriptor, bool for_writing, int64_t timeout_nanoseconds) {
  struct pollfd watched = {.fd = descriptor, .events = for_writing ? POLLOUT : POLLIN};
  struct timespec timeout = {.tv_sec = timeout_nanoseconds / 1000000000,
                             .tv_nsec = timeout_nanoseconds % 1000000000};
  int count = ppoll(&watched, 1, timeout_nanoseconds < 0 ? NULL : &timeout, NULL);
  return count < 0 && errno == EINTR ? 0 : result_of(count);
}

int cplatform_close(int descriptor) { return result_of(close(descriptor)); }

// UDP

static int bind_and_name(int descriptor, cplatform_address *address) {
  if (bind(descriptor, (const struct sockaddr *)address->bytes, address->length) < 0)
    return -errno;
  socklen_t length = sizeof address->bytes;
  if (getsockname(descriptor, (struct sockaddr *)address->bytes, &length) < 0)
    return -errno;
  address->length = length;
  return 0;
}

int cplatform_udp_open(cplatform_address *address, const cplatform_udp_options *options,
                       cplatform_udp_abilities *abilities) {
  sa_family_t family = ((const struct sockaddr *)address->bytes)->sa_family;
  int descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0)
    return -errno;
  int on = 1;
  if (family == AF_INET6) {
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  } else {
    setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  }
  // Path MTU discovery needs the "do not fragment" bit and no kernel cache of its own.
  if (family == AF_INET6) {
    int probe = IPV6_PMTUDISC_PROBE;
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof probe);
  } else {
    int probe = IP_PMTUDISC_PROBE;
    setsockopt(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
  }
  // The kernel caps the buffers at net.core.{r,w}mem_max: what it grants is enough to go on.
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &options->receive_buffer_bytes, sizeof(int));
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &options->send_buffer_bytes, sizeof(int));
  abilities->coalesces_on_receive =
      setsockopt(descriptor, SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
  int segment = 0;
  socklen_t segment_length = sizeof segment;
  abilities->segments_on_send =
      getsockopt(descriptor, SOL_UDP, UDP_SEGMENT, &segment, &segment_length) == 0;
  int bound = bind_and_name(descriptor, address);
  if (bound < 0) {
    close(descriptor);
    return bound;
  }
  return descriptor;
}

// RFC 792 and RFC 4443: destination unreachable, port unreachable.
static bool says_port_unreachable(const struct sock_extended_err *error) {
  return (error->ee_origin == SO_EE_ORIGIN_ICMP && error->ee_type == 3 && error->ee_code == 3) ||
         (error->ee_origin == SO_EE_ORIGIN_ICMP6 && error->ee_type == 1 && error->ee_code == 4);
}

static bool is_same_host(const uint8_t *left, const struct sockaddr *right) {
  sa_family_t family;
  memcpy(&family, left, sizeof family);
  if (family != right->sa_family)
    return false;
  if (family == AF_INET)
    return memcmp(left + offsetof(struct sockaddr_in, sin_addr),
                  &((const struct sockaddr_in *)right)->sin_addr, sizeof(struct in_addr)) == 0;
  return memcmp(left + offsetof(struct sockaddr_in6, sin6_addr),
                &((const struct sockaddr_in6 *)right)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

int cplatform_udp_next_error(int descriptor, cplatform_udp_error *error) {
  union {
    uint8_t bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6)) +
                  CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  memset(error, 0, sizeof *error);
  struct msghdr message = {.msg_name = error->destination.bytes,
                           .msg_namelen = sizeof error->destination.bytes,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  error->destination.length = message.msg_namelen;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
       header = CMSG_NXTHDR(&message, header)) {
    bool is_error = (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                    (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR);
    if (!is_error)
      continue;
    const struct sock_extended_err *extended = (const void *)CMSG_DATA(header);
    error->port_unreachable = says_port_unreachable(extended) &&
                              is_same_host(error->destination.bytes, SO_EE_OFFENDER(extended));
  }
  return 1;
}

struct cplatform_receiver {
  size_t slots;
  size_t slot_bytes;
  uint8_t *data;
  struct mmsghdr *messages;
  struct iovec *vectors;
  struct sockaddr_in6 *addresses;
  uint8_t *controls;
  size_t *segments;
};

#define CONTROL_BYTES CMSG_SPACE(sizeof(int))

cplatform_receiver *cplatform_receiver_new(size_t slots, size_t slot_bytes) {
  cplatform_receiver *receiver = calloc(1, sizeof *receiver);
  if (receiver == NULL)
    return NULL;
  receiver->slots = slots;
  receiver->slot_bytes = slot_bytes;
  receiver->data = malloc(slots * slot_bytes);
  receiver->messages = calloc(slots, sizeof *receiver->messages);
  receiver->vectors = calloc(slots, sizeof *receiver->vectors);
  receiver->addresses = calloc(slots, sizeof *receiver->addresses);
  receiver->controls = calloc(slots, CONTROL_BYTES);
  receiver->segments = calloc(slots, sizeof *receiver->segments);
  if (receiver->data == NULL || receiver->messages == NULL || receiver->vectors == NULL ||
      receiver->addresses == NULL || receiver->controls == NULL || receiver->segments == NULL) {
    cplatform_receiver_free(receiver);
    return NULL;
  }
  return receiver;
}

void cplatform_receiver_free(cplatform_receiver *receiver) {
  if (receiver == NULL)
    return;
  free(receiver->data);
  free(receiver->messages);
  free(receiver->vectors);
  free(receiver->addresses);
  free(receiver->controls);
  free(receiver->segments);
  free(receiver);
}

static size_t segment_bytes_of(struct msghdr *message) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
       control = CMSG_NXTHDR(message, control)) {
    if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
      int size;
      memcpy(&size, CMSG_DATA(control), sizeof size);
      return size > 0 ? (size_t)size : 0;
    }
  }
  return 0;
}

int cplatform_receiver_fill(cplatform_receiver *receiver, int descriptor) {
  for (size_t slot = 0; slot < receiver->slots; slot++) {
    receiver->vectors[slot].iov_base = receiver->data + slot * receiver->slot_bytes;
    receiver->vectors[slot].iov_len = receiver->slot_bytes;
    struct msghdr *message = &receiver->messages[slot].msg_hdr;
    message->msg_name = &receiver->addresses[slot];
    message->msg_namelen = sizeof receiver->addresses[slot];
    message->msg_iov = &receiver->vectors[slot];
    message->msg_iovlen = 1;
    message->msg_control = receiver->controls + slot * CONTROL_BYTES;
    message->msg_controllen = CONTROL_BYTES;
    message->msg_flags = 0;
  }
  int count = recvmmsg(descriptor, receiver->messages, (unsigned)receiver->slots, 0, NULL);
  if (count < 0)
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  for (int slot = 0; slot < count; slot++) {
    size_t size = segment_bytes_of(&receiver->messages[slot].msg_hdr);
    receiver->segments[slot] = size > 0 ? size : receiver->messages[slot].msg_len;
  }
  return count;
}

cplatform_datagrams cplatform_receiver_slot(const cplatform_receiver *receiver, size_t slot) {
  const struct mmsghdr *message = &receiver->messages[slot];
  cplatform_datagrams datagrams = {
      .data = receiver->data + slot * receiver->slot_bytes,
      .length = message->msg_len,
      .segment_bytes = receiver->segments[slot],
      .address = (const uint8_t *)&receiver->addresses[slot],
      .address_length = message->msg_hdr.msg_namelen,
      .truncated = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0,
  };
  return datagrams;
}

static int64_t send_segmented(int descriptor, struct msghdr *message, size_t segment_bytes) {
  union {
    uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
  } control = {0};
  message->msg_control = control.bytes;
  message->msg_controllen = sizeof control.bytes;
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
  uint16_t size = (uint16_t)segment_bytes;
  memcpy(CMSG_DATA(header), &size, sizeof size);
  ssize_t sent = sendmsg(descriptor, message, 0);
  return sent < 0 ? -errno : sent;
}

int64_t cplatform_udp_send(int descriptor, const void *address, uint32_t address_length,
                           const uint8_t *data, size_t length, size_t segment_bytes,
                           bool segments_on_send) {
  if (length <= segment_bytes || segments_on_send) {
    struct iovec vector = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)address,
                             .msg_namelen = address_length,
                             .msg_iov = &vector,
                             .msg_iovlen = 1};
    if (length > segment_bytes)
      return send_segmented(descriptor, &message, segment_bytes);
    ssize_t sent = sendmsg(descriptor, &message, 0);
    return sent < 0 ? -errno : sent;
  }
  struct mmsghdr messages[MESSAGES_PER_SEND] = {0};
  struct iovec vectors[MESSAGES_PER_SEND];
  size_t count = 0;
  for (size_t offset = 0; offset < length && count < MESSAGES_PER_SEND; count++) {
    size_t size = length - offset < segment_bytes ? length - offset : segment_bytes;
    vectors[count].iov_base = (void *)(uintptr_t)(data + offset);
    vectors[count].iov_len = size;
    messages[count].msg_hdr.msg_name = (void *)(uintptr_t)address;
    messages[count].msg_hdr.msg_namelen = address_length;
    messages[count].msg_hdr.msg_iov = &vectors[count];
    messages[count].msg_hdr.msg_iovlen = 1;
    offset += size;
  }
  int sent = sendmmsg(descriptor, messages, (unsigned)count, 0);
  if (sent < 0)
    return -errno;
  int64_t bytes = 0;
  for (int index = 0; index < sent; index++)
    bytes += (int64_t)vectors[index].iov_len;
  return bytes;
}

// files

int cplatform_direct_flag(void) { return O_DIRECT; }

int cplatform_reserve(int descriptor, int64_t byte_count) {
  return result_of(fallocate(descriptor, 0, 0, (off_t)byte_count));
}
