/// Carries a loop-bound object through other threads that must not touch it.
///
/// Safe: the object is reached only inside closures that run on the loop's own thread, posted
/// through `LoopHandle`; other threads copy and drop a weak reference, which is atomic. Being weak,
/// it never makes another thread the last to let go, so that the object ends where it lived.
struct LoopBound<Value: AnyObject>: @unchecked Sendable {
  private(set) weak var value: Value?

  init(_ value: Value) {
    self.value = value
  }
}

/// A completion that is called on the loop, once, after a detour through another thread.
///
/// Safe: the closure is read and let go on the loop's thread only, in `complete`; so what it
/// captured ends there too, whichever thread drops the reply last. A reply that is never completed
/// belongs to a loop that has ended, which leaves nobody to race with.
final class Reply<Value>: @unchecked Sendable {
  private var completion: ((Value) -> Void)?

  init(_ completion: @escaping (Value) -> Void) {
    self.completion = completion
  }

  func complete(_ value: Value) {
    let completion = completion
    self.completion = nil
    completion?(value)
  }
}
