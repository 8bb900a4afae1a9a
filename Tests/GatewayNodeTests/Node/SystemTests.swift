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

  @Test func reasonsAreTheSystems() async throws {
    #expect(SystemReason.text(of: IOError(errnoCode: 98, reason: "bind")) == "Address already in use")
    #expect(SystemReason.text(of: ChannelError.connectTimeout(.seconds(1))) == "no answer")
  }
}
