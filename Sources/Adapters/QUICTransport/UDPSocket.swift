import CPlatform
import Reactor

/// One bound UDP socket, with the burst the kernel had no room for.
final class UDPSocket {
  let descriptor: Int32
  let address: SocketAddress
  let kernelAddress: cplatform_address
  /// Whether the kernel cuts a burst into packets; withdrawn when a device turns out not to.
  var segmentsOnSend: Bool
  let coalescesOnReceive: Bool
  var registration: Registration?
  /// Bytes not yet taken, their packet size, and where they go.
  var waiting: (bytes: [UInt8], segmentBytes: Int, remote: [UInt8])?

  /// What to ask the kernel for; it grants at most `net.core.rmem_max` and `wmem_max`.
  private static let bufferBytes: Int32 = 4 << 20

  init(bindingTo wanted: SocketAddress) throws {
    var kernel = wanted.kernelAddress
    var options = cplatform_udp_options(
      receive_buffer_bytes: UDPSocket.bufferBytes, send_buffer_bytes: UDPSocket.bufferBytes)
    var abilities = cplatform_udp_abilities()
    let opened = try SystemCallError.check(
      cplatform_udp_open(&kernel, &options, &abilities), "bind \(wanted)")
    let bound = withUnsafeBytes(of: kernel.bytes) { SocketAddress(kernelBytes: $0) }
    guard let bound else {
      _ = cplatform_close(opened)
      throw SystemCallError(number: 22, call: "getsockname")
    }
    descriptor = opened
    address = bound
    kernelAddress = bound.kernelAddress
    segmentsOnSend = abilities.segments_on_send
    coalescesOnReceive = abilities.coalesces_on_receive
  }

  deinit { _ = cplatform_close(descriptor) }
}
