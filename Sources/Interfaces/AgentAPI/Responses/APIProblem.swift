internal import HTTPServer
internal import JSONText

/// The kinds of refusal, each with its own page in the reference.
enum ProblemKind: String, CaseIterable, Sendable {
  case malformedJSON = "malformed-json"
  case unauthenticated = "unauthenticated"
  case forbidden = "forbidden"
  case notFound = "not-found"
  case methodNotAllowed = "method-not-allowed"
  case notAcceptable = "not-acceptable"
  case alreadyAnswered = "already-answered"
  case questionClosed = "question-closed"
  case alreadyResolved = "already-resolved"
  case tokenInUse = "token-in-use"
  case collectionExists = "collection-exists"
  case wrongPolicy = "wrong-policy"
  case recordFull = "record-full"
  case versionConflict = "version-conflict"
  case lockTaken = "lock-taken"
  case notHolder = "not-holder"
  case memberRemoved = "member-removed"
  case lastVoter = "last-voter"
  case notLeader = "not-leader"
  case notFinal = "not-final"
  case refusedFinally = "refused-finally"
  case payloadTooLarge = "payload-too-large"
  case unsupportedMediaType = "unsupported-media-type"
  case invalid = "invalid"
  case idempotencyMismatch = "idempotency-mismatch"
  case storageFailed = "storage-failed"
  case overloaded = "overloaded"
  case notReady = "not-ready"
  case noLeader = "no-leader"
  case noFinality = "no-finality"
  case outcomeUnknown = "outcome-unknown"
  case limitReached = "limit-reached"

  /// The relative URI that names the kind (RFC 9457 section 3.1.1).
  var type: String { "/problems/" + rawValue }

  /// The status that goes with the kind.
  var status: Int {
    switch self {
    case .malformedJSON: 400
    case .unauthenticated: 401
    case .forbidden: 403
    case .notFound: 404
    case .methodNotAllowed: 405
    case .notAcceptable: 406
    case .alreadyAnswered, .questionClosed, .alreadyResolved, .tokenInUse, .collectionExists,
      .wrongPolicy, .recordFull:
      409
    case .versionConflict, .lockTaken, .notHolder, .memberRemoved, .lastVoter, .notLeader: 409
    case .notFinal, .refusedFinally: 409
    case .payloadTooLarge: 413
    case .unsupportedMediaType: 415
    case .invalid, .idempotencyMismatch: 422
    case .storageFailed: 500
    case .overloaded, .notReady, .noLeader, .noFinality: 503
    case .outcomeUnknown: 504
    case .limitReached: 507
    }
  }

  /// The summary, the same for every problem of the kind.
  var title: String {
    switch self {
    case .malformedJSON: "The body is not acceptable JSON"
    case .unauthenticated: "A valid bearer token is required"
    case .forbidden: "The bearer may not do this"
    case .notFound: "There is no such thing"
    case .methodNotAllowed: "The path does not take this method"
    case .notAcceptable: "None of the accepted media types is offered"
    case .alreadyAnswered: "The agent has answered this question differently"
    case .questionClosed: "The question takes no more answers"
    case .alreadyResolved: "The question is resolved differently"
    case .tokenInUse: "The token belongs to an agent already"
    case .collectionExists: "The collection has another policy"
    case .wrongPolicy: "The collection's policy knows no such change"
    case .recordFull: "The record holds as much as it may"
    case .versionConflict: "The key has another version"
    case .lockTaken: "Another lease holds the lock"
    case .notHolder: "The lease does not hold the lock, or not with this token"
    case .memberRemoved: "The member was removed"
    case .lastVoter: "Nobody would be left to vote"
    case .notLeader: "Another node leads"
    case .notFinal: "It is not final yet"
    case .refusedFinally: "The final order left no room for the write"
    case .payloadTooLarge: "The body is too large"
    case .unsupportedMediaType: "The body must be application/json"
    case .invalid: "The request breaks a rule"
    case .idempotencyMismatch: "The idempotency key was used for another request"
    case .storageFailed: "The node could not store or read"
    case .overloaded: "The node has too much to do"
    case .notReady: "The node is not ready"
    case .noLeader: "No leader took the request in time"
    case .noFinality: "Nothing becomes final at this node at present"
    case .outcomeUnknown: "The deadline passed before it was known what became of the write"
    case .limitReached: "A bound of the cluster's common state is reached"
    }
  }
}

/// One broken rule of one field.
struct FieldError: Hashable {
  /// The field as a path, such as `answers[3].confidence` or `query.limit`.
  var field: String
  /// The rule's short name, such as `required` or `length`.
  var rule: String
  /// What was wrong and what would be right.
  var detail: String
}

/// A refusal on its way to becoming `application/problem+json` (RFC 9457).
struct APIProblem: Error {
  /// The kind, which fixes type, title and status.
  var kind: ProblemKind
  /// What was wrong this time, and what to do about it.
  var detail: String
  /// The broken rules when the request is invalid.
  var errors: [FieldError] = []
  /// Header fields that the status calls for.
  var headers: [HTTPField] = []
  /// Further members, each a key and a finished JSON value.
  var members: [(key: String, json: [UInt8])] = []

  init(
    _ kind: ProblemKind, _ detail: String, errors: [FieldError] = [], headers: [HTTPField] = []
  ) {
    self.kind = kind
    self.detail = detail
    self.errors = errors
    self.headers = headers
  }

  /// A refusal for broken rules; the detail names the first one.
  init(errors: [FieldError]) {
    guard let first = errors.first else { preconditionFailure("a refusal without a broken rule") }
    let others = errors.count - 1
    let more = others == 0 ? "" : " (and \(others) more, see errors)"
    self.init(.invalid, "\(first.field): \(first.detail)\(more)", errors: errors)
  }

  /// A refusal for one broken rule.
  init(field: String, rule: String, _ detail: String) {
    self.init(errors: [FieldError(field: field, rule: rule, detail: detail)])
  }

  /// Writes the problem as one JSON object.
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("type")
    writer.string(kind.type)
    writer.key("title")
    writer.string(kind.title)
    writer.key("status")
    writer.integer(kind.status)
    writer.key("detail")
    writer.string(detail)
    if !errors.isEmpty {
      writer.key("errors")
      writer.beginArray()
      for error in errors {
        writer.beginObject()
        writer.key("field")
        writer.string(error.field)
        writer.key("rule")
        writer.string(error.rule)
        writer.key("detail")
        writer.string(error.detail)
        writer.endObject()
      }
      writer.endArray()
    }
    for member in members {
      writer.key(member.key)
      writer.raw(member.json)
    }
    writer.endObject()
  }

  /// The response that carries the problem.
  var response: HTTPResponse {
    var writer = JSONWriter()
    write(to: &writer)
    return HTTPResponse(
      status: kind.status, contentType: "application/problem+json", headers: headers,
      body: writer.bytes)
  }
}
