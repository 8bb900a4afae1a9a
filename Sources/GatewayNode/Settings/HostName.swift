#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// What a node is called when nobody names it.
enum HostName {
  /// The host's name; nil where it is none that tells nodes apart.
  static func read() -> String? {
    var bytes = [CChar](repeating: 0, count: 256)
    guard gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
    let name = String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return name != "localhost" && isNodeName(name) ? name : nil
  }

  static func random() -> String {
    "gateway-" + randomSuffix(6)
  }

  /// Letters and digits that cannot be mistaken for each other.
  static func randomSuffix(_ length: Int) -> String {
    String((0..<length).map { _ in "abcdefghijkmnpqrstuvwxyz23456789".randomElement()! })
  }

  static func isNodeName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
