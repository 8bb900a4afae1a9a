import CRedisShim
import NIOCore

/// The one owner of a command that hiredis formatted.
@safe
struct RedisCommandBytes: ~Copyable {
  private let bytes: UnsafeMutablePointer<CChar>
  private let count: Int

  private init?(_ arguments: ByteBuffer, lengths: [Int]) {
    var count = 0
    let formatted = unsafe arguments.withUnsafeReadableBytes { raw in
      unsafe lengths.withUnsafeBufferPointer { (lengths) -> UnsafeMutablePointer<CChar>? in
        let start = unsafe raw.baseAddress?.assumingMemoryBound(to: CChar.self)
        let sizes = unsafe UnsafeRawPointer(lengths.baseAddress)?.assumingMemoryBound(to: Int.self)
        return unsafe sluice_redis_command_format(start, sizes, Int32(lengths.count), &count)
      }
    }
    guard let formatted = unsafe formatted else { return nil }
    unsafe self.bytes = formatted
    self.count = count
  }

  deinit {
    unsafe sluice_redis_command_free(bytes)
  }

  /// Appends the command whose arguments lie one after the other in `arguments`. False when it cannot be
  /// formatted.
  static func append(_ arguments: ByteBuffer, lengths: [Int], to out: inout ByteBuffer) -> Bool {
    guard let command = RedisCommandBytes(arguments, lengths: lengths) else { return false }
    unsafe out.writeBytes(UnsafeRawBufferPointer(start: command.bytes, count: command.count))
    return true
  }
}
