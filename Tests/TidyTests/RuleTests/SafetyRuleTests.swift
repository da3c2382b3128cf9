import Testing

@Suite struct `safety rules` {
  @Test(arguments: [
    "final class C: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1",
    "// It works.\nfinal class C: @unchecked Sendable {}",
    "// Safe:\nstruct S: @unchecked Sendable {}",
    "// Safe: guarded\nlet a = 1\nextension C: @unchecked Sendable {}",
  ])
  func `an unchecked promise without an argument is refused`(text: String) {
    #expect(SafetyRules.unchecked(Planted.core(text)).count == 1)
  }

  @Test(arguments: [
    "// Safe: only the reactor's thread\n// touches it.\nfinal class C: @unchecked Sendable {}",
    "/// A handle.\n// Safe: never changes\npackage final class C<T>:\n  P, @unchecked Sendable {}",
    "// Safe: set once before threads\nnonisolated(unsafe) var a = 1",
    "final class C: Sendable {} // not @unchecked", "nonisolated func f() {}",
  ])
  func `an argued promise passes`(text: String) {
    #expect(SafetyRules.unchecked(Planted.core(text)).isEmpty)
  }

  @Test(arguments: [
    "package func f() {}", "package struct S {}", "public enum E {}",
    "struct S {\n  package static let a = 1\n}", "package protocol P {}",
    "/// A P.\npackage protocol P {\n  func f()\n}",
    "/// A P.\npackage protocol P {\n  associatedtype A\n}",
    "/// An E.\npackage enum E {\n  case a(Int)\n}", "package extension S {\n  func f() {}\n}",
    "// Not a documentation comment.\npackage final class C {}",
    "/// About a.\nlet a = 1\n@frozen package struct S {}",
    "/// S.\npackage struct S {\n  package private(set) var a = 1\n}",
    "/// S.\npackage struct S {\n  package subscript(i: Int) -> Int { i }\n}",
  ])
  func `an undocumented declaration is refused`(text: String) {
    #expect(SafetyRules.documentation(SourceTree([Planted.core(text)])).count == 1)
  }

  @Test(arguments: [
    "func f() {}", "/// Does f.\npackage func f() {}", "package import Wire",
    "/// Does f.\n@inlinable @available(macOS 13, *)\npackage static func f() {}",
    "/// A C.\n// Safe: never changes\npackage final class C: @unchecked Sendable {}",
    "/** Does f. */ package func f() {}", "struct S {\n  package init() {}\n}",
    "/// An E.\npackage enum E {\n  /// An a.\n  case a(Int)\n  case b\n}",
    "enum E { case a(Int) }",
    "/// An E.\npackage enum E {\n  /// Sum.\n  package var a: Int { switch x { case .a: 1 } }\n}",
    "extension S: Hashable {\n  package func combine() {}\n}",
    "package extension S {\n  private func f() {}\n}",
    "extension S {\n  package static func == (a: S, b: S) -> Bool { true }\n}",
    "/// S.\npackage struct S {\n  /// A.\n  package private(set) var a = 1\n}",
    "func f() { let package = 1\n  func g() {} }", "struct S {\n  package var rawValue: Int\n}",
    "protocol P { var b: Int { get } }\nstruct S: P {\n  package var b: Int { 1 }\n}",
  ])
  func `a documented or hidden declaration passes`(text: String) {
    #expect(SafetyRules.documentation(SourceTree([Planted.core(text)])).isEmpty)
  }
}
