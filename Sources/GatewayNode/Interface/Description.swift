internal import NIOCore
internal import Transports

/// What a listener says of its own interface, in OpenAPI 3.1.
///
/// The texts are files of this folder, part of the program; a test holds them to the routes that are served.
struct Description: Sendable {
  static let path = "/v1/openapi.json"
  static let ofClientListener = Description(PackageResources.public_json)
  static let ofOperatorListener = Description(PackageResources.operator_json)

  let body: ValidatedBody

  /// The interface has the version of the program.
  private init(_ text: [UInt8]) {
    let text = String(decoding: text, as: UTF8.self).replacing("{version}", with: Version.text)
    body = ValidatedBody(ByteBuffer(string: text))
  }

  func answer(_ request: HTTPRequest, _ responder: Responder) {
    responder.respond(body, to: request)
  }
}
