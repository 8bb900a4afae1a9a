import Foundation
import NIOConcurrencyHelpers

/// A command of `/bin/sh` under way or over. It is a process group of its own, so that a Ctrl-C meant for this process
/// does not leave a deploy half done.
final class ShellCommand: Sendable {
  struct NotStarted: Error, CustomStringConvertible {
    let description: String
  }

  private let pid: Int32
  private let lines = NIOLockedValueBox<[String]>([])
  private let status = NIOLockedValueBox<Int32?>(nil)

  init(_ command: String) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw NotStarted(description: String(cString: strerror(errno))) }
    let (reading, writing) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(writing) }
    var pid: Int32 = 0
    let failure = ShellCommand.spawn(command, output: writing, &pid)
    guard failure == 0 else {
      close(reading)
      throw NotStarted(description: String(cString: strerror(failure)))
    }
    self.pid = pid
    let (lines, status, child) = (lines, status, pid)
    // What it starts may outlive it and hold its output open: its end is waited for by itself.
    Thread.detachNewThread {
      ShellCommand.gather(reading, into: lines)
      close(reading)
    }
    Thread.detachNewThread {
      var code: Int32 = 0
      while waitpid(child, &code, 0) < 0, errno == EINTR {}
      let signal = code & 0x7f
      status.withLockedValue { $0 = signal == 0 ? (code >> 8) & 0xff : 128 + signal }
    }
  }

  /// Once it has ended, what it exited with, or 128 and the signal that ended it.
  var exitStatus: Int32? { status.withLockedValue { $0 } }

  /// What it has printed since it was last asked.
  func takeLines() -> [String] {
    lines.withLockedValue { lines in
      defer { lines = [] }
      return lines
    }
  }

  func terminate() {
    if exitStatus == nil { _ = kill(-pid, SIGTERM) }
  }

  private static func spawn(_ command: String, output: Int32, _ pid: inout Int32) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    // Threads of this process may block signals, which a child would inherit.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
    let texts = ["sh", "-c", command]
    let variables = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    let words: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    let environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) }
    defer { for text in words + environment { free(text) } }
    return posix_spawn(&pid, "/bin/sh", &actions, &attributes, words + [nil], environment + [nil])
  }

  /// Reads to the end.
  private static func gather(_ file: Int32, into lines: NIOLockedValueBox<[String]>) {
    var rest: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = read(file, &part, 4_096)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      rest += part[..<count]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: rest[..<end], as: UTF8.self)
        lines.withLockedValue { $0.append(line) }
        rest.removeFirst(end + 1)
      }
    }
    if !rest.isEmpty { lines.withLockedValue { $0.append(String(decoding: rest, as: UTF8.self)) } }
  }
}
