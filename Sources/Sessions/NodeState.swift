/// What a node says of itself to operators, load balancers and the other nodes.
public enum NodeState: String, Sendable, CaseIterable {
  /// Not yet able to serve.
  case starting
  case ready
  /// Sending its sessions to other nodes; takes no new ones.
  case draining
  /// Without sessions; takes none.
  case drained
  /// On its way out.
  case stopped
}
