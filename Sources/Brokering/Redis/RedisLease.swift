import NIOCore
import Wire

/// A lease of this node that is over.
struct RedisFormerLease {
  let name: String
  /// Where this node had holders.
  let channels: [ChannelName]
  /// When what is left of it may be taken out.
  var isOverAt: NIODeadline?

  init(name: String, channels: [ChannelName]) {
    self.name = name
    self.channels = channels
  }
}

/// A node's claim that what it wrote of its sessions is true. When it is lost, another one with another number
/// is taken: what was written under the old one is swept, what comes under the new one is not touched by that.
struct RedisLease {
  let incarnation: String
  private(set) var number = 1
  /// The registry has it.
  private(set) var isTaken = false

  init(incarnation: String) {
    self.incarnation = incarnation
  }

  var name: String { "\(incarnation)#\(number)" }

  mutating func taken() {
    isTaken = true
  }

  mutating func lost() {
    number += 1
    isTaken = false
  }

  static func incarnation(of name: String) -> String {
    name.lastIndex(of: "#").map { String(name[..<$0]) } ?? name
  }

  /// Unique in the cluster. Names of members and serial numbers contain no space.
  func holder(_ memberID: String, _ holder: HolderID) -> String {
    "\(name) \(memberID) \(holder.serial)"
  }
}
