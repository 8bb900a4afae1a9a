import Testing
import Wire

@testable import Brokering

struct RedisHeldPresenceTests {
  private let channel = ChannelName("room:a")!

  private func leave(_ id: String) -> RedisHeldPresence.Leave {
    RedisHeldPresence.Leave(channel: channel, memberID: id, holder: HolderID(serial: 1))
  }

  @Test func aChannelIsNotedWhileItHasHolders() {
    var presence = RedisHeldPresence()
    #expect(presence.joins(channel) == true)
    #expect(presence.joins(channel) == false)
    presence.joined(channel, isNew: true)
    presence.leaves(leave("a"))
    // The second join is on its way, and would not be noted again.
    #expect(presence.left(leave("a"), wasThere: true) == false)
    presence.joined(channel, isNew: nil)
    #expect(presence.all == [channel])
    #expect(presence.left(leave("b"), wasThere: false) == false)
    #expect(presence.left(leave("b"), wasThere: true) == true)
    #expect(presence.all == [])
    #expect(presence.joins(channel) == true)
  }

  @Test func aFailedLeaveIsOwedUnlessItsHolderCameBack() {
    var presence = RedisHeldPresence()
    presence.leaves(leave("a"))
    presence.leaveFailed(leave("a"))
    #expect(presence.owed == [leave("a")])
    presence.joins(leave("a"))
    #expect(presence.owed == [])
    presence.leaves(leave("a"))
    presence.joins(leave("a"))
    presence.leaveFailed(leave("a"))
    #expect(presence.owed == [])
  }
}
