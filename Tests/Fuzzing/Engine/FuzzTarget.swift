/// One parser of what comes from outside, and what must hold of it whatever comes.
///
/// Each is a file in `Targets` and a corpus of its name in `Corpora`. One more of them is one more file, its line in
/// ``all``, and a corpus to begin with.
struct FuzzTarget: Sendable {
  let name: String
  /// Bytes of an input, at the most.
  let longest: Int
  /// What the parser knows of: a fuzzer puts words together sooner than it finds their letters.
  let words: [String]
  /// Throws when something does not hold.
  let check: @Sendable ([UInt8]) throws -> Void

  init(
    _ name: String,
    longest: Int,
    words: [String] = [],
    check: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    self.name = name
    self.longest = longest
    self.words = words
    self.check = check
  }

  static let all: [FuzzTarget] = [
    .http, .requestParameters, .webSocketFrames, .webSocketConnection, .clientCommands, .publishBodies,
    .cursors, .eventStreams, .serverEvents, .handshakeAnswers, .redisReplies, .redisAnswers, .tokens,
    .keySets,
    .extensionOffers, .compressedMessages,
  ]

  static func named(_ name: String) -> FuzzTarget? {
    all.first { $0.name == name }
  }
}
