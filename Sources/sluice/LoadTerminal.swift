import Foundation
import LoadTesting
import Synchronization

/// Shows on standard error how a load test goes: a block that is drawn anew on a terminal, else lines.
final class LoadTerminal: LoadObserver {
  private let block: Mutex<LiveBlock>
  private let isOver = Mutex(false)

  init(title: String, wanted: Int?) {
    block = Mutex(LiveBlock(title: title, wanted: wanted, style: ErrorOutput.style))
    HiddenCursor.hide()
  }

  func phase(_ text: String) { redraw { $0.phase(text) } }
  func mark(_ mark: LoadMark) { redraw { $0.mark(mark) } }

  func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?) {
    redraw { $0.sample(sample, totals: totals, expected: expected) }
  }

  /// Takes the block away.
  func end() {
    guard
      !isOver.withLock({ wasOver in
        defer { wasOver = true }
        return wasOver
      })
    else { return }
    ErrorOutput.write(block.withLock { $0.erase() })
    HiddenCursor.show()
  }

  private func redraw(_ change: (inout LiveBlock) -> Void) {
    let text = block.withLock { block in
      change(&block)
      return block.redraw(columns: ErrorOutput.columns)
    }
    ErrorOutput.write(text)
  }
}

/// The same as lines, for a log.
final class LoadLog: LoadObserver {
  private let line: Mutex<LiveLine>

  init(title: String, wanted: Int?) { line = Mutex(LiveLine(title: title, wanted: wanted)) }

  func phase(_ text: String) { StandardError.print(line.withLock { $0.phase(text) }) }
  func mark(_ mark: LoadMark) { StandardError.print(line.withLock { $0.mark(mark) }) }

  func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?) {
    if let text = line.withLock({ $0.sample(sample, totals: totals, expected: expected) }) {
      StandardError.print(text)
    }
  }
}

/// Says nothing.
struct LoadSilence: LoadObserver {
  func phase(_ text: String) {}
  func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?) {}
  func mark(_ mark: LoadMark) {}
}
