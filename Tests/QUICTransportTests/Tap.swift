import Glibc
import QUICTransport
import Reactor

/// A bare UDP socket on the loop, for packets no transport would send and for losing packets on the
/// way.
final class Tap {
  let address: SocketAddress
  var onDatagram: (([UInt8], SocketAddress) -> Void)?
  private(set) var received: [[UInt8]] = []
  private let descriptor: Int32
  private let loop: EventLoop
  private var registration: Registration?

  init(loop: EventLoop) throws {
    self.loop = loop
    let descriptor = try SystemCallError.check(
      socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0), "socket")
    guard let any = SocketAddress("127.0.0.1:0") else {
      preconditionFailure("a literal address does not parse")
    }
    var length: socklen_t = 0
    try SystemCallError.check(Tap.withKernel(any) { bind(descriptor, $0, $1) }, "bind")
    var storage = sockaddr_in()
    length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let named = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length)
      }
    }
    try SystemCallError.check(named, "getsockname")
    self.descriptor = descriptor
    address = any.withPort(UInt16(bigEndian: storage.sin_port))
    registration = try loop.register(descriptor: descriptor, interest: .readable) {
      [unowned self] _ in
      self.drain()
    }
  }

  deinit {
    if let registration { loop.deregister(registration) }
    close(descriptor)
  }

  func send(_ bytes: [UInt8], to target: SocketAddress) {
    _ = Tap.withKernel(target) { pointer, length in
      Int32(sendto(descriptor, bytes, bytes.count, 0, pointer, length))
    }
  }

  private func drain() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      var storage = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let count = withUnsafeMutablePointer(to: &storage) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
        }
      }
      guard count >= 0 else { return }
      let from = withUnsafeBytes(of: &storage) { SocketAddress(kernelBytes: $0) }
      guard let from else { return }
      let bytes = Array(buffer[..<count])
      received.append(bytes)
      onDatagram?(bytes, from)
    }
  }

  /// All addresses of these tests are on 127.0.0.1, so the port says everything.
  private static func withKernel(
    _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var kernel = sockaddr_in()
    kernel.sin_family = sa_family_t(AF_INET)
    kernel.sin_port = address.port.bigEndian
    kernel.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &kernel) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}

/// Stands between a dialler and an acceptor and loses every n-th datagram of each direction.
final class LossyProxy {
  private let front: Tap
  private let back: Tap
  private var dialler: SocketAddress?
  private var counts = (there: 0, back: 0)
  private(set) var lost = 0

  /// Where the dialler must dial.
  var address: SocketAddress { front.address }

  init(world: World, to acceptor: SocketAddress, losingEvery period: Int) throws {
    front = try world.tap()
    back = try world.tap()
    front.onDatagram = { [unowned self] bytes, from in
      self.dialler = from
      self.counts.there += 1
      if self.counts.there.isMultiple(of: period) {
        self.lost += 1
      } else {
        self.back.send(bytes, to: acceptor)
      }
    }
    back.onDatagram = { [unowned self] bytes, _ in
      guard let dialler = self.dialler else { return }
      self.counts.back += 1
      if self.counts.back.isMultiple(of: period) {
        self.lost += 1
      } else {
        self.front.send(bytes, to: dialler)
      }
    }
  }
}
