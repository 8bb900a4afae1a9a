import Foundation
import LoadTesting
import Synchronization

/// Several processes of this program that play one run together, started by this one, which only collects.
final class LoadCrew: Sendable {
  private struct Member {
    let process: Process
    let input: FileHandle
  }

  private let members: Mutex<[Member]>
  private let news: AsyncStream<(index: Int, word: WorkerWord?)>
  private let tell: AsyncStream<(index: Int, word: WorkerWord?)>.Continuation
  private let count: Int

  /// Starts them with the words of this one's own command line.
  init(_ count: Int) throws {
    signal(SIGPIPE, SIG_IGN)
    self.count = count
    let (news, tell) = AsyncStream<(index: Int, word: WorkerWord?)>.makeStream()
    self.news = news
    self.tell = tell
    members = Mutex([])
    guard let program = Bundle.main.executableURL else {
      throw CommandFailure("this program does not know where it is, to start itself again")
    }
    let tag = String(UInt32.random(in: .min ... .max), radix: 36)
    for index in 0..<count {
      do {
        try start(program, index: index, role: "\(index)/\(count):\(tag)")
      } catch {
        end(now: true)
        throw CommandFailure(
          "process \(index + 1) of \(count) could not be started: \(error.localizedDescription)"
        )
      }
    }
  }

  private func start(_ program: URL, index: Int, role: String) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = Array(CommandLine.arguments.dropFirst()) + ["--worker", role]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    let tell = tell
    try process.run()
    // Else the end would never be seen, for this process could still write.
    try? output.fileHandleForWriting.close()
    try? input.fileHandleForReading.close()
    let answers = output.fileHandleForReading
    members.withLock { $0.append(Member(process: process, input: input.fileHandleForWriting)) }
    answers.readLines { line in
      do {
        tell.yield((index, try WorkerWord(line: line)))
      } catch {
        tell.yield((index, .failed("process \(index + 1) says what is not understood: \(error)")))
      }
    } end: {
      tell.yield((index, nil))
    }
  }

  /// Plays to the end, and answers what came of it in all.
  func play(_ observer: any LoadObserver) async throws -> LoadResult {
    defer { end(now: true) }
    var hub = LoadHub(workers: count)
    for await (index, word) in news {
      let actions =
        if let word { hub.heard(word, from: index) } else { hub.ended(index, "ended before its time") }
      for action in actions {
        switch action {
        case .tellAll(let word): send(word)
        case .phase(let text): observer.phase(text)
        case .mark(let mark): observer.mark(mark)
        case .sample(let sample, let totals, let expected):
          observer.sample(sample, totals: totals, expected: expected)
        case .done(var result):
          result.plan.append(LoadSetting("join", "\(count)"))
          return result
        case .failed(let reason): throw CommandFailure(reason)
        }
      }
    }
    throw CommandFailure("the processes of this run are gone")
  }

  /// Ends the run early, as if its time were over.
  func endEarly() { send(.end) }

  private func send(_ word: HubWord) {
    guard let line = try? word.line() else { return }
    // Who is gone is heard of on its other pipe.
    for member in members.withLock({ $0 }) { try? member.input.write(contentsOf: line) }
  }

  /// Who hears that nobody listens any more ends by itself.
  private func end(now: Bool) {
    for member in members.withLock({ $0 }) {
      try? member.input.close()
      if now, member.process.isRunning { member.process.terminate() }
    }
  }
}
