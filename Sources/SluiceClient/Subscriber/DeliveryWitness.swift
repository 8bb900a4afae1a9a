public import Wire

/// Sees the messages of one channel for all the subscribers of a loop that share it, so that their tracks need not
/// remember each payload. It lives on that loop.
public protocol DeliveryWitness: AnyObject {
  /// A message that is news to one of them has arrived; `data` is valid only now.
  /// - Returns: false when something else was seen at this cursor before.
  func saw(_ cursor: Cursor, _ data: UnsafeRawBufferPointer) -> Bool
}
