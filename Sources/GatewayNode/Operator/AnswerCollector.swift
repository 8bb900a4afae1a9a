internal import NIOCore
internal import NIOHTTP1

/// Gathers one response, then is done.
final class AnswerCollector: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private var promise: EventLoopPromise<OperatorClient.Answer>?
  private let timeout: TimeAmount
  private var alarm: Scheduled<Void>?
  private var answer: OperatorClient.Answer?

  init(_ promise: EventLoopPromise<OperatorClient.Answer>, timeout: TimeAmount) {
    self.promise = promise
    self.timeout = timeout
  }

  func handlerAdded(context: ChannelHandlerContext) {
    alarm = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
      finish(
        .failure(
          OperatorClient.Failure(description: "no answer within \(timeout.nanoseconds / 1_000_000) ms")
        )
      )
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      answer = OperatorClient.Answer(status: head.status, headers: head.headers, body: ByteBuffer())
    case .body(var part):
      answer?.body.writeBuffer(&part)
      if let answer, answer.body.readableBytes > OperatorClient.limit {
        finish(.failure(OperatorClient.Failure(description: "the answer is too large")))
      }
    case .end:
      if let answer { finish(.success(answer)) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    finish(.failure(error))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    finish(.failure(OperatorClient.Failure(description: "the connection was closed before an answer")))
    context.fireChannelInactive()
  }

  private func finish(_ result: Result<OperatorClient.Answer, any Error>) {
    alarm?.cancel()
    promise?.completeWith(result)
    promise = nil
  }
}

@available(*, unavailable)
extension AnswerCollector: Sendable {}
