import Foundation

/// A wall clock of one process that can be set while it runs. Its monotonic clock stays true.
///
/// A library loaded before all others takes the place of the C library's clocks. `libfaketime` cannot: Redis's
/// allocator asks for the time before it is ready.
public final class FakeClock: Sendable {
  private let directory: URL

  public init() throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "sluice-clock-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try set(by: 0)
    let source = directory.appending(path: "clock.c")
    try Data(FakeClock.source.utf8).write(to: source)
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    compiler.arguments = ["clang", "-shared", "-fPIC", "-O1", "-o", library.path, source.path]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw NotInTime(description: "clang failed") }
  }

  deinit {
    try? FileManager.default.removeItem(at: directory)
  }

  private var library: URL { directory.appending(path: "clock.so") }
  private var offset: URL { directory.appending(path: "offset") }

  /// From now on it is as many seconds fast, or slow where negative.
  public func set(by seconds: Int) throws {
    let bytes = withUnsafeBytes(of: Int64(seconds)) { Data($0) }
    // In place: the process has mapped it.
    if let file = FileHandle(forWritingAtPath: offset.path) {
      try file.write(contentsOf: bytes)
      try file.close()
    } else {
      try bytes.write(to: offset)
    }
  }

  /// What the process has to find.
  public var environment: [String: String] {
    ["LD_PRELOAD": library.path, "FAKE_CLOCK": offset.path]
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static const volatile int64_t *offset;

    __attribute__((constructor)) static void find(void) {
      const char *path = getenv("FAKE_CLOCK");
      int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
      if (file < 0) return;
      void *page = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
      if (page != MAP_FAILED) offset = page;
      close(file);
    }

    int clock_gettime(clockid_t clock, struct timespec *now) {
      int result = (int)syscall(SYS_clock_gettime, clock, now);
      int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
      if (result == 0 && is_wall && offset) now->tv_sec += *offset;
      return result;
    }

    int gettimeofday(struct timeval *restrict now, void *restrict zone) {
      (void)zone;
      struct timespec time;
      clock_gettime(CLOCK_REALTIME, &time);
      now->tv_sec = time.tv_sec;
      now->tv_usec = time.tv_nsec / 1000;
      return 0;
    }

    time_t time(time_t *result) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (result) *result = now.tv_sec;
      return now.tv_sec;
    }
    """
}
