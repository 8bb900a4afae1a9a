public import NIOCore

/// Something that lives on one loop, as others may hold it.
public final class Confined<Value>: Sendable {
  public let loop: any EventLoop
  private let box: NIOLoopBoundBox<Value?>

  /// Makes it on its loop.
  public init(on loop: any EventLoop, _ make: @escaping @Sendable (any EventLoop) -> Value) async throws {
    self.loop = loop
    let box = NIOLoopBoundBox<Value?>.makeEmptyBox(eventLoop: loop)
    self.box = box
    try await loop.submit { box.value = make(loop) }.get()
  }

  /// Uses it on its loop.
  public func use<Answer: Sendable>(
    _ body: @escaping @Sendable (Value) throws -> Answer
  ) async throws -> Answer {
    try await loop.submit { try body(self.box.value!) }.get()
  }

  /// For who is on its loop already; elsewhere it traps.
  public var here: Value { box.value! }

  /// Uses it on its loop, soon.
  public func use(soon body: @escaping @Sendable (Value) -> Void) {
    loop.execute { body(self.box.value!) }
  }
}
