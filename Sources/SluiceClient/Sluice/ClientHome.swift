import NIOCore

/// Where a client's core lives: its loop. When the last one that holds this lets go, the core is closed.
final class ClientHome: Sendable {
  let loop: any EventLoop
  private let core: NIOLoopBoundBox<ClientCore?>

  init(on loop: any EventLoop, _ make: @escaping @Sendable (any EventLoop) -> ClientCore) {
    self.loop = loop
    let box = NIOLoopBoundBox<ClientCore?>.makeEmptyBox(valueType: ClientCore.self, eventLoop: loop)
    core = box
    loop.execute { box.value = make(loop) }
  }

  deinit {
    let core = core
    loop.execute {
      core.value?.close()
      core.value = nil
    }
  }

  /// Uses the core on its loop, soon; what is asked first is done first.
  func run(_ body: @escaping @Sendable (ClientCore) -> Void) {
    let core = core
    loop.execute { if let core = core.value { body(core) } }
  }
}
