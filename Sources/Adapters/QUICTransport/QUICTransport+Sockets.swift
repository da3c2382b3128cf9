import CPlatform
import CQUIC
import Glibc
import Reactor

extension QUICTransport {
  /// Receive calls per readiness, so that one busy socket cannot hold the turn.
  private static let fillsPerReadiness = 2
  /// How often one call is made again because it failed for an earlier packet.
  private static let failuresPerCall = 8

  func socketIsReady(_ place: Int, _ readiness: Readiness) {
    let socket = sockets[place]
    if readiness.contains(.failed) { drainErrors(of: socket) }
    if readiness.contains(.writable) { resend(on: socket) }
    guard readiness.contains(.readable) || readiness.contains(.failed) else { return }
    var fills = 0
    var failures = 0
    while fills < QUICTransport.fillsPerReadiness {
      let count = cplatform_receiver_fill(receiver, socket.descriptor)
      if count < 0, failures < QUICTransport.failuresPerCall {
        // An ICMP message about an earlier packet came in between; what waits is still there.
        failures += 1
        drainErrors(of: socket)
        continue
      }
      guard count > 0 else { break }
      fills += 1
      let now = loop.refreshClock()
      for slot in 0..<Int(count) {
        let datagrams = cplatform_receiver_slot(receiver, slot)
        receive(datagrams, on: socket, at: now)
      }
      deliverEvents()
    }
  }

  private func receive(_ datagrams: cplatform_datagrams, on socket: UDPSocket, at now: UInt64) {
    guard let data = datagrams.data, let address = datagrams.address else { return }
    let remote = UnsafeRawBufferPointer(start: address, count: Int(datagrams.address_length))
    let size = max(1, datagrams.segment_bytes)
    var offset = 0
    while offset < datagrams.length {
      let count = min(size, datagrams.length - offset)
      counters.packetsIn += 1
      counters.bytesIn += UInt64(count)
      let packet = UnsafeBufferPointer(start: data + offset, count: count)
      if datagrams.truncated {
        counters.packetsDropped += 1
      } else {
        process(packet, from: remote, on: socket, at: now)
      }
      offset += count
    }
  }

  /// Sends a burst; false when the kernel has no room, in which case the burst waits in the socket.
  func send(
    _ bytes: UnsafeRawBufferPointer, segmentBytes: Int, on socket: UDPSocket,
    to remote: UnsafeRawBufferPointer
  ) -> Bool {
    guard socket.waiting == nil else {
      // Only the second half of a split burst comes here; it is treated as lost.
      counters.sendFailures += 1
      return false
    }
    var offset = 0
    var failures = 0
    while offset < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      let sent = cplatform_udp_send(
        socket.descriptor, remote.baseAddress, UInt32(remote.count),
        rest.baseAddress?.assumingMemoryBound(to: UInt8.self), rest.count, segmentBytes,
        socket.segmentsOnSend)
      if sent > 0 {
        offset += Int(sent)
        counters.bytesOut += UInt64(sent)
        counters.packetsOut += UInt64((Int(sent) + segmentBytes - 1) / segmentBytes)
      } else if sent == Int64(-EAGAIN) || sent == Int64(-ENOBUFS) {
        wait(on: socket, with: rest, segmentBytes: segmentBytes, remote: remote)
        return false
      } else if sent == Int64(-EIO), socket.segmentsOnSend {
        // The device behind this route cannot segment: cut bursts here from now on.
        socket.segmentsOnSend = false
      } else if sent == Int64(-EINTR) {
        continue
      } else if drainErrors(of: socket) > 0 || sent == Int64(-ECONNREFUSED),
        failures < QUICTransport.failuresPerCall
      {
        // The call failed for an earlier packet, perhaps another peer's: this one was not tried.
        failures += 1
      } else {
        // Unreachable or too long: to QUIC this is loss.
        counters.sendFailures += 1
        return true
      }
    }
    return true
  }

  private func wait(
    on socket: UDPSocket, with bytes: UnsafeRawBufferPointer, segmentBytes: Int,
    remote: UnsafeRawBufferPointer
  ) {
    socket.waiting = ([UInt8](bytes), segmentBytes, [UInt8](remote))
    watch(socket, for: [.readable, .writable])
  }

  private func resend(on socket: UDPSocket) {
    guard let waiting = socket.waiting else { return }
    socket.waiting = nil
    let sent = waiting.bytes.withUnsafeBytes { bytes in
      waiting.remote.withUnsafeBytes { remote in
        send(bytes, segmentBytes: waiting.segmentBytes, on: socket, to: remote)
      }
    }
    if sent { watch(socket, for: .readable) }
    loop.requestTurnEnd()
  }

  private func watch(_ socket: UDPSocket, for interest: Interest) {
    guard let registration = socket.registration else { return }
    do {
      try loop.modify(registration, interest: interest)
    } catch {
      preconditionFailure("epoll refuses a socket it knows: \(error)")
    }
  }

  /// Sends one packet that belongs to no connection.
  func sendSingle(
    _ length: Int64, from buffer: UnsafeMutablePointer<UInt8>, on socket: UDPSocket,
    to remote: UnsafeRawBufferPointer
  ) {
    guard length > 0 else { return }
    _ = send(
      UnsafeRawBufferPointer(start: buffer, count: Int(length)), segmentBytes: Int(length),
      on: socket, to: remote)
  }
}
