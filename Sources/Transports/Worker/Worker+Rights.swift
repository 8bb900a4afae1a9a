import Admission
import NIOCore
import Wire

/// Who may do what: the one place where namespaces, tokens and a backend's word meet, for every transport.
extension Worker {
  /// Why a caller may not do something by what namespaces and its token say; nil when it may.
  func refusal(_ act: Rights.Act, _ channel: ChannelName, by caller: Caller) -> ClientError? {
    let options = context.namespaces[channel]
    if act == .presence, !options.presence {
      return ClientError(.forbidden, "the namespace \(channel.namespace) has no presence")
    }
    switch act == .publish ? options.publish : options.subscribe {
    case .everyone: return nil
    case .open where caller.rights.granted == nil: return nil
    case .open where caller.rights.grants(act, channel): return nil
    case .token where caller.rights.grants(act, channel): return nil
    case .open, .token:
      return ClientError(.forbidden, "\(act.doing) \(channel) needs a token that grants it")
    case .nobody:
      return ClientError(.forbidden, "\(act.doing) \(channel.namespace) is for backends only")
    }
  }

  /// - Parameter fromStart: whether all that is held is asked for, which whoever subscribed before has not to do.
  func refusal(
    toSubscribe channel: ChannelName,
    fromStart: Bool = false,
    presence: PresenceWish?,
    by caller: Caller
  ) -> ClientError? {
    refusal(.subscribe, channel, by: caller)
      ?? (fromStart ? refusal(.history, channel, by: caller) : nil)
      ?? (presence == nil ? nil : refusal(.presence, channel, by: caller))
  }

  /// Whether a caller may subscribe to all the channels: what namespaces and its token say at once, and then the
  /// backend's word where that is wanted.
  /// - Parameter isWanted: whether somebody still waits for it; when not, `done` may never be called.
  func permit(
    subscribing channels: [ChannelName],
    fromStart: Bool,
    presence: PresenceWish?,
    by caller: Caller,
    over transport: TransportKind,
    member: String?,
    while isWanted: @escaping () -> Bool = { true },
    _ done: @escaping (ClientError?) -> Void
  ) {
    for channel in channels {
      if let error = refusal(toSubscribe: channel, fromStart: fromStart, presence: presence, by: caller) {
        return done(error)
      }
    }
    askSubscribe(channels, by: caller, over: transport, member: member, while: isWanted, done)
  }

  /// The same for reading: whoever may not subscribe by the backend's word reads nothing either.
  func permit(
    _ act: Rights.Act,
    _ channel: ChannelName,
    by caller: Caller,
    over transport: TransportKind,
    member: String?,
    _ done: @escaping (ClientError?) -> Void
  ) {
    if let error = refusal(act, channel, by: caller) { return done(error) }
    askSubscribe([channel], by: caller, over: transport, member: member, while: { true }, done)
  }

  // MARK: A backend's word

  func decideConnect(
    _ caller: Caller,
    over transport: TransportKind,
    _ done: @escaping (Result<Caller, ClientError>) -> Void
  ) {
    guard asks(.connect) else { return done(.success(caller)) }
    decide(.connect, by: caller, over: transport) {
      done(
        $0.map { decision in
          var caller = caller
          guard let decision else { return caller }
          if let user = decision.user { caller.user = user }
          if let info = decision.info { caller.info = info }
          if let rights = decision.rights { caller.rights = rights }
          return caller
        }
      )
    }
  }

  /// What is published in the end.
  func decidePublish(
    _ data: ByteBuffer,
    _ channel: ChannelName,
    by caller: Caller,
    over transport: TransportKind,
    member: String?,
    _ done: @escaping (Result<ByteBuffer, ClientError>) -> Void
  ) {
    guard asks(.publish) else { return done(.success(data)) }
    decide(.publish, by: caller, over: transport, member, channel, data) { [self] in
      done(
        $0.flatMap { decision in
          guard let other = decision?.data else { return .success(data) }
          return tooLarge(other, channel).map { .failure($0) } ?? .success(other)
        }
      )
    }
  }

  private func askSubscribe(
    _ channels: [ChannelName],
    by caller: Caller,
    over transport: TransportKind,
    member: String?,
    while isWanted: @escaping () -> Bool,
    _ done: @escaping (ClientError?) -> Void
  ) {
    guard let decisions = context.decisions, decisions.decides.contains(.subscribe) else { return done(nil) }
    let inquiry = Inquiry(channels, atOnce: decisions.atOnce, while: isWanted, done)
    inquiry.goOn { [self] channel, answered in
      decide(.subscribe, by: caller, over: transport, member, channel) {
        if case .failure(let error) = $0 { answered(error) } else { answered(nil) }
      }
    }
  }

  /// Whether a backend decides such a thing.
  func asks(_ kind: Question.Kind) -> Bool {
    guard let decisions = context.decisions else { return false }
    return decisions.decides.contains(kind)
  }

  /// Nil where nobody wants to be asked.
  private func decide(
    _ kind: Question.Kind,
    by caller: Caller,
    over transport: TransportKind,
    _ member: String? = nil,
    _ channel: ChannelName? = nil,
    _ data: ByteBuffer? = nil,
    _ done: @escaping (Result<Decision?, ClientError>) -> Void
  ) {
    guard let decisions = context.decisions, decisions.decides.contains(kind) else {
      return done(.success(nil))
    }
    var question = Question(kind, by: caller, over: transport)
    question.member = member
    question.channel = channel
    question.data = data
    let done = NIOLoopBound(done, eventLoop: entry.eventLoop)
    decisions.decide(question, on: entry.eventLoop) { done.value($0.map { $0 }) }
  }
}

/// Asks for many channels, a few at once, until all are allowed or one is not.
private final class Inquiry {
  typealias Ask = (_ channel: ChannelName, _ answered: @escaping (ClientError?) -> Void) -> Void

  private var rest: ArraySlice<ChannelName>
  private var waiting = 0
  private let atOnce: Int
  private let isWanted: () -> Bool
  private var done: ((ClientError?) -> Void)?

  init(
    _ channels: [ChannelName],
    atOnce: Int,
    while isWanted: @escaping () -> Bool,
    _ done: @escaping (ClientError?) -> Void
  ) {
    rest = channels[...]
    self.atOnce = atOnce
    self.isWanted = isWanted
    self.done = done
  }

  func goOn(_ ask: @escaping Ask) {
    while done != nil, waiting < atOnce, isWanted(), let channel = rest.popFirst() {
      waiting += 1
      ask(channel) { [self] refusal in
        waiting -= 1
        guard refusal != nil || (rest.isEmpty && waiting == 0) else { return goOn(ask) }
        done?(refusal)
        done = nil
      }
    }
  }
}

@available(*, unavailable) extension Inquiry: Sendable {}

extension Rights.Act {
  fileprivate var doing: String {
    switch self {
    case .subscribe: "subscribing to"
    case .publish: "publishing to"
    case .presence: "to see who is present in"
    case .history: "to read"
    }
  }
}
