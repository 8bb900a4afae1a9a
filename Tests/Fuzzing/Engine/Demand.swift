/// Something that must hold does not.
struct Broken: Error, CustomStringConvertible {
  let description: String
}

func demand(_ holds: Bool, _ what: @autoclosure () -> String) throws(Broken) {
  if !holds { throw Broken(description: what()) }
}

func demandSame<Value: Equatable>(
  _ left: Value,
  _ right: Value,
  _ what: @autoclosure () -> String
) throws(Broken) {
  if left != right { throw Broken(description: "\(what()):\n  \(left)\n  \(right)") }
}

/// The value that must be there.
func required<Value>(_ value: Value?, _ what: @autoclosure () -> String) throws(Broken) -> Value {
  guard let value else { throw Broken(description: what()) }
  return value
}
