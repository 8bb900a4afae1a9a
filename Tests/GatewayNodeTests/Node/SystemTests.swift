import Foundation
import NIOCore
import NIOPosix
import Telemetry
import RedisClient
import Testing

@testable import GatewayNode

@Suite struct SystemTests {
  @Test func theLimitOfDescriptorsIsRaised() {
    let raised = DescriptorLimit.raise()
    #expect(raised >= 256)
    #expect(ProcessUsage.read().maximumDescriptors == raised)
  }

  #if os(Linux)
    /// As `proc(5)` has it: `FDSize`, the slots that there are.
    @Test func thereIsRoomForDescriptorsBeforeTheyCome() throws {
      let room = min(DescriptorLimit.raise(), 5_000)
      DescriptorLimit.makeRoom(for: room)
      DescriptorLimit.makeRoom(for: .max)
      DescriptorLimit.makeRoom(for: 0)
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("FDSize:") })
      #expect(try #require(Int(line.split(separator: "\t")[1])) >= room)
    }
  #endif

  @Test func reasonsAreTheSystems() async throws {
    #expect(SystemReason.text(of: IOError(errnoCode: 98, reason: "bind")) == "Address already in use")
    #expect(SystemReason.text(of: ChannelError.connectTimeout(.seconds(1))) == "no answer")
  }
}
