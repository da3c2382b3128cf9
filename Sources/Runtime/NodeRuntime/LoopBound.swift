/// Carries a loop-bound object through other threads that must not touch it.
///
/// Safe: the value is read only inside closures that run on the loop's own thread, posted through
/// `LoopHandle`; other threads copy and release the reference, which is atomic. The object outlives
/// the loop, so that no other thread ever releases it last.
struct LoopBound<Value: AnyObject>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) {
    self.value = value
  }
}
