/// Held connections, each of which knows its place among them: coming and going costs no search.
struct HeldConnections {
  private(set) var all: [any HeldConnection] = []

  var count: Int { all.count }
  var last: (any HeldConnection)? { all.last }

  mutating func append(_ connection: any HeldConnection) {
    connection.place = all.count
    all.append(connection)
  }

  /// - Parameter connection: one of these.
  mutating func remove(_ connection: any HeldConnection) {
    let place = connection.place
    connection.place = -1
    all.swapAt(place, all.count - 1)
    all.removeLast()
    if place < all.count { all[place].place = place }
  }
}

@available(*, unavailable) extension HeldConnections: Sendable {}
