import Foundation
import LoadTesting
import Synchronization

/// Standard error, and what it can show.
enum ErrorOutput {
  /// Whether lines can be drawn over.
  static let isTerminal = isatty(STDERR_FILENO) == 1 && !Terminal.isDumb

  static let style: TextStyle = isTerminal && !Terminal.isWithoutColor ? .colored : .plain

  /// How wide it is now.
  static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// The terminal's cursor, which is not to jump about in what is drawn, and must be there again afterwards.
enum HiddenCursor {
  private static let comesBack: Void = {
    atexit { HiddenCursor.show() }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let before = signal(number) { number in
        HiddenCursor.show()
        signal(number, SIG_DFL)
        raise(number)
      }
      // Who listens to the signal ends in order, and shows the cursor then.
      if unsafeBitCast(before, to: Int.self) != 0 { signal(number, before) }
    }
  }()

  private static let isHidden = Atomic(false)

  static func hide() {
    _ = comesBack
    isHidden.store(true, ordering: .relaxed)
    ErrorOutput.write("\u{1b}[?25l")
  }

  /// May be called in the handler of a signal, and when it was not hidden.
  static func show() {
    guard isHidden.exchange(false, ordering: .relaxed) else { return }
    let bytes: StaticString = "\u{1b}[?25h"
    _ = write(STDERR_FILENO, bytes.utf8Start, bytes.utf8CodeUnitCount)
  }
}
