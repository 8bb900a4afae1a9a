import Testing

@testable import GatewayNode

@Suite struct MemoryLimitTests {
  @Test func theMemoryOfTheMachineIsKnown() {
    #expect(
      MemoryLimit.total(in: Array("MemTotal:       24064928 kB\nMemFree: 1 kB".utf8)) == 24_064_928 * 1_024
    )
    #expect(MemoryLimit.total(in: []) == nil)
    #expect(MemoryLimit.limit(Array("max\n".utf8)) == nil)
    #expect(MemoryLimit.limit(Array("1048576\n".utf8)) == 1_048_576)
  }

  private static let unlimited = "9223372036854771712\n"

  /// A service, a container and a machine, by what they find of their control groups.
  @Test(
    arguments: [
      // A unit with MemoryMax=, and one whose slice has less.
      (
        "0::/system.slice/sluice.service\n",
        ["/sys/fs/cgroup/system.slice/sluice.service/memory.max": "1000\n"], 1_000
      ),
      (
        "0::/system.slice/sluice.service\n",
        [
          "/sys/fs/cgroup/system.slice/sluice.service/memory.max": "max\n",
          "/sys/fs/cgroup/system.slice/memory.max": "500\n", "/sys/fs/cgroup/memory.max": "800\n",
        ], 500
      ),
      // A container sees its own group as the root, whatever its process calls it.
      ("0::/\n", ["/sys/fs/cgroup/memory.max": "1000\n"], 1_000),
      ("0::/docker/f00d\n", ["/sys/fs/cgroup/memory.max": "1000\n"], 1_000),
      ("", ["/sys/fs/cgroup/memory.max": "1000\n"], 1_000),
      // Version 1, whose memory may stand among other controllers, and both at once.
      (
        "5:cpu,cpuacct:/a\n4:hugetlb,memory:/a:b/c\n1:name=systemd:/d\n",
        [
          "/sys/fs/cgroup/memory/a:b/c/memory.limit_in_bytes": "700\n",
          "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1\n",
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": unlimited,
        ], 700
      ),
      (
        "4:memory:/a\n0::/b\n",
        [
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": "900\n", "/sys/fs/cgroup/b/memory.max": "950\n",
        ], 900
      ),
      ("4:memory:/a\n", ["/sys/fs/cgroup/memory/a/memory.limit_in_bytes": unlimited], nil),
      ("0::/a\n", ["/sys/fs/cgroup/a/memory.max": "max\n"], nil), ("nonsense\n", [:], nil),
    ] as [(String, [String: String], Int?)]
  )
  func theSmallestLimitCounts(_ groups: String, _ files: [String: String], _ limit: Int?) {
    #expect(MemoryLimit.group(of: Array(groups.utf8)) { files[$0].map { Array($0.utf8) } } == limit)
  }
}
