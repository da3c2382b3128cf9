/// One header field that a client sends or receives.
package struct HTTPClientField: Equatable, Sendable {
  /// The field name.
  package let name: String
  /// The field value.
  package let value: String

  /// Makes a field.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// What a server answered.
package struct HTTPClientResponse: Sendable {
  /// The status code.
  package let status: Int
  /// The header fields of the final answer in their order.
  package let headers: [HTTPClientField]
  /// The body; empty when it was streamed.
  package let body: [UInt8]

  /// The first value of a field, whose name is compared without regard to ASCII case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// Why a request brought no answer.
package struct HTTPClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of failure.
  package enum Reason: Equatable, Sendable {
    /// No connection could be made.
    case cannotConnect
    /// The time given to the request ran out.
    case timedOut
    /// The body exceeds `HTTPConnection.responseBytesMax`.
    case responseTooLarge
    /// The connection ended or broke before the answer was complete.
    case connectionLost
    /// The server's certificate was not accepted or TLS failed otherwise.
    case tls
    /// Anything else, such as a malformed URL or answer.
    case other
  }

  /// The URL that was asked for.
  package let url: String
  /// The kind of failure.
  package let reason: Reason
  /// libcurl's own words.
  package let message: String

  /// A sentence for people.
  package var description: String { "\(url): \(message)" }
}
