import Counting

/// One counted section, as it is printed: `operations` of something, and how often memory was asked for. The
/// instructions are in Callgrind's dump of the same name.
///
/// Each thing is counted with fewer and with more operations: the difference is what one more costs, and what does
/// not depend on their number falls out. And each count is made several times, because timers add to some.
struct Count {
  static let times = 3

  let name: String
  let operations: Int
  /// How many of them are one: deliveries of one message.
  var repeats = 1

  /// Counts what happens in the whole process while `body` runs.
  func run(_ body: () throws -> Void) rethrows {
    counting_begin()
    try body()
    let allocations = counting_end("\(name)/\(operations)")
    print(
      #"{"name":"\#(name)","operations":\#(operations),"repeats":\#(repeats),"allocations":\#(allocations)}"#
    )
  }
}
