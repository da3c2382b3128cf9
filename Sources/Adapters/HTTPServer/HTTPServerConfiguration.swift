/// Where the server listens and what one client may cost it.
package struct HTTPServerConfiguration: Sendable {
  /// The numeric IPv4 or IPv6 address to bind.
  package var address = "127.0.0.1"
  /// The TCP port; 0 lets the system choose, see `HTTPServer.boundPort`.
  package var port: UInt16 = 0
  /// Open connections; further clients wait in the listening queue.
  package var connectionsMax = 1_024
  /// Bytes of the request line and the header fields; more is refused with 431,
  /// and so are more than 64 fields.
  package var headerBytesMax = 8_192
  /// Bytes of the request target; more is refused with 414. A query of
  /// more than 64 items closes the connection.
  package var targetBytesMax = 4_096
  /// Bytes of a request body; more is refused with 413.
  package var bodyBytesMax = 1 << 20
  /// Time from accepting a connection, or from a later request line, to the end of the headers.
  package var headerDeadlineMilliseconds = 10_000
  /// Time from the end of the headers to the end of the body.
  package var bodyDeadlineMilliseconds = 30_000
  /// Time that a kept-alive connection may wait for its next request line.
  package var idleTimeoutMilliseconds = 60_000
  /// Requests that wait for a later answer; more are refused with 503.
  package var parkedMax = 1_024
  /// Bytes that a stream holds for its reader; a reader that falls further behind is dropped.
  package var streamBytesMax = 256 << 10
  /// The certificate chain and key, when the server speaks TLS.
  package var tls: HTTPServerCertificate?

  /// The default limits on an ephemeral loopback port.
  package init() {}
}

/// A certificate chain and its private key for the server's side of TLS.
package struct HTTPServerCertificate: Sendable {
  /// The chain as PEM text, leaf first.
  package let certificatePEM: [UInt8]
  /// The private key as PEM text.
  package let privateKeyPEM: [UInt8]

  /// Makes a pair.
  package init(certificatePEM: [UInt8], privateKeyPEM: [UInt8]) {
    self.certificatePEM = certificatePEM
    self.privateKeyPEM = privateKeyPEM
  }
}

/// Why a server did not start.
package struct HTTPServerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The step that failed.
  package enum Reason: Equatable, Sendable {
    /// The address is not a numeric IPv4 or IPv6 address.
    case invalidAddress
    /// The socket could not be created, bound or listened on; `errno` says why.
    case cannotListen(errno: Int32)
    /// libmicrohttpd refused to start, with TLS most often over the certificate or key.
    case cannotStart
  }

  /// The address and port that were asked for.
  package let endpoint: String
  /// The step that failed.
  package let reason: Reason

  /// A sentence for people.
  package var description: String {
    switch reason {
    case .invalidAddress: "\(endpoint) is not a numeric address"
    case .cannotListen(let errno): "cannot listen on \(endpoint): \(systemMessage(errno))"
    case .cannotStart: "cannot start the HTTP server on \(endpoint); check certificate and key"
    }
  }
}

/// Counts since the server started, except where a name says `Now`.
package struct HTTPServerCounters: Equatable, Sendable {
  /// Requests handed to the handler.
  package var requests: UInt64 = 0
  /// Responses queued with a status below 300.
  package var responsesSuccess: UInt64 = 0
  /// Responses queued with a status from 300 to 399.
  package var responsesRedirect: UInt64 = 0
  /// Responses queued with a status from 400 to 499.
  package var responsesClientError: UInt64 = 0
  /// Responses queued with a status of 500 or more.
  package var responsesServerError: UInt64 = 0
  /// Requests refused with 413, or cut off far beyond that limit.
  package var refusedBodyTooLarge: UInt64 = 0
  /// Requests refused with 431 or 414.
  package var refusedHeaderTooLarge: UInt64 = 0
  /// Requests refused because they break HTTP's grammar or framing, or ask for an unknown method.
  package var refusedMalformed: UInt64 = 0
  /// Requests refused with 503 because `parkedMax` others wait.
  package var refusedTooMany: UInt64 = 0
  /// Connections closed by the header, body or idle deadline.
  package var timeouts: UInt64 = 0
  /// Answers that did not reach their clients, which had left or been refused before.
  package var answersDropped: UInt64 = 0
  /// Streams dropped because their reader fell behind.
  package var streamsDropped: UInt64 = 0
  /// Header and body bytes of requests.
  package var bytesIn: UInt64 = 0
  /// Body bytes of responses and streams.
  package var bytesOut: UInt64 = 0
  /// Open connections.
  package var connectionsNow = 0
  /// Requests that wait for a later answer.
  package var parkedNow = 0
  /// Streams that are open.
  package var streamsNow = 0

  /// All zero.
  package init() {}
}
