import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The last step of a delivery: bytes into the socket, past the channel's own queue where that is empty.
///
/// A connection that took everything so far needs no queue: one `send(2)` on its descriptor is all. The only file
/// that writes to a descriptor. Its invariants:
///
/// - It runs on the channel's loop only, where a channel closes its socket and tells its handlers of that in one step.
///   The handler that connects a subscriber is the first to hear, and calls `disconnect` before it does anything
///   else. So the descriptor is the connection's own until then, and never the number of a closed one that another
///   connection was given since.
/// - Nothing is sent while the channel may hold bytes, flushed or not: whoever writes to it otherwise says so
///   before, by `queue()`, and then its queue is asked until it is seen to be empty.
/// - What the socket does not take goes to the channel as a whole rest, and what follows stands behind it.
/// - An error of `send` is none here: the channel gets the bytes, meets the same error, and closes as it would have.
/// - The channel may call back from any write or flush: no state is held over one.
///
/// - A channel whose bytes a handler changes on their way to the socket, as TLS does, is never asked for its descriptor.
extension Subscriber {
  /// Asked once for each connection. The pipeline's own `withUnsafeTransportIfAvailable` asks the same of the same
  /// core, but for a type with its argument, and that takes a search through the types of the program: a twelfth of
  /// what it costs to set a connection up.
  static func descriptor(of channel: any Channel) -> NIOBSDSocket.Handle? {
    guard let core = channel._channelCore as? any NIOTransportAccessibleChannelCore else { return nil }
    return descriptor(of: core)
  }

  private static func descriptor(of core: some NIOTransportAccessibleChannelCore) -> NIOBSDSocket.Handle? {
    try? core.withUnsafeTransport { $0 as? NIOBSDSocket.Handle }
  }

  /// Keeps bytes for the next flush. Alone, they leave by one `send`; with others, through the channel, in one call.
  func write(_ bytes: ByteBuffer) {
    guard context != nil else { return }
    if isSecured { unflushed += bytes.readableBytes }
    if alone == nil, !hasQueued {
      alone = bytes
    } else {
      queue()
      context?.write(NIOAny(bytes), promise: nil)
    }
  }

  /// Gives the channel what waits for a flush: somebody else is about to write to it.
  public func queue() {
    hasQueued = true
    channelMayHold = true
    if let bytes = alone.take() { context?.write(NIOAny(bytes), promise: nil) }
  }

  func flush() {
    if let onCollected { return onCollected() }
    hasQueued = false
    unflushed = 0
    guard let bytes = alone.take() else {
      context?.flush()
      return
    }
    let sent = send(bytes)
    guard sent < bytes.readableBytes else { return }
    channelMayHold = true
    var rest = bytes
    rest.moveReaderIndex(forwardBy: sent)
    context?.writeAndFlush(NIOAny(rest), promise: nil)
  }

  /// Sends without waiting for a flush, where nothing else waits.
  func sendAtOnce(_ bytes: ByteBuffer) -> Passage {
    guard !channelMayHold, !hasQueued, alone == nil, descriptor >= 0 else { return .refused }
    let sent = send(bytes)
    guard sent < bytes.readableBytes else { return .complete }
    guard sent > 0 else { return .refused }
    queue()
    var rest = bytes
    rest.moveReaderIndex(forwardBy: sent)
    context?.write(NIOAny(rest), promise: nil)
    return .begun
  }

  enum Passage {
    case complete
    /// A part is gone, and the rest waits for the next flush.
    case begun
    /// Nothing is gone.
    case refused
  }

  /// How many bytes the socket took; none when they have to stand behind others.
  private func send(_ bytes: ByteBuffer) -> Int {
    guard descriptor >= 0 else { return 0 }
    if channelMayHold {
      guard let held = try? channel?.syncOptions?.getOption(.bufferedWritableBytes), held == 0 else {
        return 0
      }
      channelMayHold = false
    }
    return bytes.withUnsafeReadableBytes { max(0, Subscriber.send($0, to: descriptor)) }
  }

  private static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: NIOBSDSocket.Handle) -> Int {
    #if canImport(Glibc)
      return Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    #elseif canImport(Musl)
      return Musl.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    #else
      return Darwin.send(descriptor, bytes.baseAddress, bytes.count, MSG_DONTWAIT)
    #endif
  }
}
