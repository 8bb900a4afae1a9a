import Foundation
import NIOConcurrencyHelpers
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A program started by this process. It gets no open file but the three it is given: what it starts in turn
/// may outlive it, and would hold whatever it inherits.
final class ChildProcess: Sendable {
  struct NotStarted: Error, CustomStringConvertible {
    let description: String
  }

  let pid: pid_t
  private let status = NIOLockedValueBox<Int32?>(nil)

  /// - Parameters:
  ///   - command: the program, looked for in `PATH`, and its arguments.
  ///   - input: becomes its standard input; nothing, when nil.
  ///   - output: the file that its output is appended to; nowhere, when nil.
  init(_ command: [String], input: Int32? = nil, output: String? = nil) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    // Threads of this process may block signals, which a child would inherit.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    let environment = ChildProcess.environment.map { "\($0.key)=\($0.value)" }
    let words = ["bash", "-c", ChildProcess.closingTheRest, "child"] + ChildProcess.place + command
    var pid: pid_t = 0
    let failure = ChildProcess.withPointers(to: words) { words in
      ChildProcess.withPointers(to: environment) {
        posix_spawnp(&pid, "bash", &actions, &attributes, words, $0)
      }
    }
    guard failure == 0 else {
      throw NotStarted(description: "\(command[0]) was not started: \(String(cString: strerror(failure)))")
    }
    self.pid = pid
    let status = status
    Thread.detachNewThread { [pid] in
      var code: Int32 = 0
      while waitpid(pid, &code, 0) < 0, errno == EINTR {}
      let wasKilled = code & 0x7f != 0
      status.withLockedValue { $0 = wasKilled ? 128 + (code & 0x7f) : (code >> 8) & 0xff }
    }
  }

  /// Closes what was inherited but the first three, and becomes the program.
  private static let closingTheRest =
    #"for f in /proc/$$/fd/*; do n=${f##*/}; if ((n > 2)); then eval "exec $n>&-"; fi; done; exec "$@""#

  /// Once it has ended: what it exited with, or 128 and the signal that killed it.
  var exitStatus: Int32? { status.withLockedValue { $0 } }

  func exit(within limit: Duration) async throws -> Int32 {
    try await eventually("the end of process \(pid)", within: limit) { exitStatus }
  }

  /// What puts children where they are to run, where that is not where this process does: `SLUICE_CHILD_PLACE`, a command
  /// that takes another.
  private static let place =
    ProcessInfo.processInfo.environment["SLUICE_CHILD_PLACE"]?.split(separator: " ").map(String.init) ?? []

  /// Ours, without what is meant for nodes: they take their settings from the harness alone.
  private static var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SLUICE_") }
    environment["PATH", default: "/usr/bin:/bin"] += ":/usr/sbin:/sbin"
    return environment
  }

  private static func withPointers<Result>(
    to texts: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let pointers = texts.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
  }
}
