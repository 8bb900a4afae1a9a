import Foundation
import LoadTesting
import Synchronization

/// This process as one of several that play a run: it hears on standard input from the one that started it, and tells
/// it everything on standard output.
final class LoadWorker: LoadObserver, LoadCompany {
  private struct Inbox {
    var words: [HubWord] = []
    var reader: CheckedContinuation<HubWord, Never>?
  }

  let stripe: LoadStripe
  let tag: String
  private let inbox = Mutex(Inbox())
  private let output = Mutex(FileHandle.standardOutput)

  /// - Parameter role: `INDEX/COUNT:TAG`; nil for anything else.
  init?(_ role: String) {
    let parts = role.split(separator: ":", maxSplits: 1)
    let numbers = (parts.first ?? "").split(separator: "/").compactMap { Int($0) }
    guard parts.count == 2, numbers.count == 2, (0..<numbers[1]).contains(numbers[0]) else { return nil }
    stripe = LoadStripe(index: numbers[0], count: numbers[1])
    tag = String(parts[1])
  }

  /// A terminal's Ctrl-C is for the one that started it.
  private func listen(_ control: LoadControl) {
    signal(SIGINT, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    FileHandle.standardInput.readLines { [self] line in
      guard let word = try? HubWord(line: line) else { _exit(1) }
      if word == .end { control.end() } else { take(word) }
    } end: {
      // Without the others there is nothing to be done.
      _exit(1)
    }
  }

  /// Plays its part, and ends with the run.
  func play(_ plan: LoadPlan) async {
    let control = LoadControl()
    listen(control)
    do {
      say(.result(try await LoadRun.run(plan, observer: self, control: control, company: self)))
    } catch {
      say(.failed("\(error)"))
    }
  }

  private func say(_ word: WorkerWord) {
    guard let line = try? word.line() else { return }
    output.withLock { output in
      do { try output.write(contentsOf: line) } catch { _exit(1) }
    }
  }

  func phase(_ text: String) { say(.phase(text)) }
  func mark(_ mark: LoadMark) { say(.mark(mark)) }

  func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?) {
    say(.sample(sample, totals, expected: expected))
  }

  func gather(_ meeting: LoadMeeting) async throws {
    say(.waits(meeting))
    let word = await next()
    guard word == .goOn(meeting) else { throw CommandFailure("\(word) is not what was waited for") }
  }

  func exchange(_ pages: [LedgerPage]) async throws -> [LedgerPage] {
    say(.published(pages))
    guard case .published(let all) = await next() else {
      throw CommandFailure("what the others published was not told")
    }
    return all
  }

  private func take(_ word: HubWord) {
    let reader = inbox.withLock { inbox -> CheckedContinuation<HubWord, Never>? in
      guard let reader = inbox.reader.take() else {
        inbox.words.append(word)
        return nil
      }
      return reader
    }
    reader?.resume(returning: word)
  }

  private func next() async -> HubWord {
    await withCheckedContinuation { reader in
      let word = inbox.withLock { inbox -> HubWord? in
        guard inbox.words.isEmpty else { return inbox.words.removeFirst() }
        inbox.reader = reader
        return nil
      }
      if let word { reader.resume(returning: word) }
    }
  }
}
