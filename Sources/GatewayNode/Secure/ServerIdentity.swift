private import NIOConcurrencyHelpers
internal import NIOCore
private import NIOSSL

/// The certificate and key with which a listener does TLS, read again when their files change.
final class ServerIdentity: Sendable {
  /// Of TLS 1.2, each with forward secrecy and authenticated; those of nginx/tls.conf.
  private static let ciphers = ["ECDHE-ECDSA", "ECDHE-RSA"].flatMap { exchange in
    ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].map { "\(exchange)-\($0)" }
  }

  private struct State {
    var context: NIOSSLContext
    var files: [[UInt8]]
  }

  private let certificate: String
  private let key: String
  private let state: NIOLockedValueBox<State>

  /// Throws what is wrong with the files, for a person.
  init(certificate: String, key: String) throws {
    self.certificate = certificate
    self.key = key
    let files = try ServerIdentity.read(certificate, key)
    state = NIOLockedValueBox(State(context: try ServerIdentity.context(files), files: files))
  }

  /// For one connection.
  func handler() -> any ChannelHandler {
    NIOSSLServerHandler(context: state.withLockedValue { $0.context })
  }

  /// Takes what the files hold now: whether that is something else. What cannot be used changes nothing.
  func reload() throws -> Bool {
    let files = try ServerIdentity.read(certificate, key)
    guard files != state.withLockedValue({ $0.files }) else { return false }
    let context = try ServerIdentity.context(files)
    state.withLockedValue { $0 = State(context: context, files: files) }
    return true
  }

  private static func read(_ certificate: String, _ key: String) throws -> [[UInt8]] {
    [try TextFile.read(certificate), try TextFile.read(key)]
  }

  private static func context(_ files: [[UInt8]]) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMBytes(files[0])
    guard !chain.isEmpty else { throw Failure("the certificate's file has no certificate in PEM") }
    let key = try NIOSSLPrivateKey(bytes: files[1], format: .pem)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) },
      privateKey: .privateKey(key)
    )
    configuration.minimumTLSVersion = .tlsv12
    configuration.cipherSuites = ciphers.joined(separator: ":")
    configuration.applicationProtocols = ["http/1.1"]
    return try NIOSSLContext(configuration: configuration)
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
      self.description = description
    }
  }
}
