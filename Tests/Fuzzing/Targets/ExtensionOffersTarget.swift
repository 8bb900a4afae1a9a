import NIOHTTP1

@testable import Framing

extension FuzzTarget {
  /// What a client offers in `Sec-WebSocket-Extensions`, one field in each line.
  static let extensionOffers = FuzzTarget(
    "extension-offers",
    longest: 400,
    words: [
      "permessage-deflate", "; ", ", ", "\n", "=", "\"", "\\", "server_no_context_takeover",
      "client_no_context_takeover", "server_max_window_bits=", "client_max_window_bits", "=8", "=9", "=15",
      "=016",
    ]
  ) { input in
    let fields = input.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
    let headers = HTTPHeaders(fields.map { ("Sec-WebSocket-Extensions", $0) })
    let lists = fields.map(ExtensionList.parse)
    for case let list? in lists {
      let text = list.map { offer in
        let parameters = offer.parameters.map { name, value in value.map { "\(name)=\($0)" } ?? name }
        return ([offer.name] + parameters).joined(separator: "; ")
      }.joined(separator: ", ")
      let again = try required(ExtensionList.parse(text), "written down, it is malformed")
      try demandSame(again.map(\.name), list.map(\.name), "written down, it offers something else")
      for (one, other) in zip(again, list) {
        try demandSame(one.parameters.map(\.name), other.parameters.map(\.name), "other parameters")
        try demandSame(one.parameters.map(\.value), other.parameters.map(\.value), "other values")
      }
    }
    var request: HTTPHeaders = [
      "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]
    request.add(contentsOf: headers)
    let decision = WebSocketHandshake.decide(method: .GET, version: .http1_1, headers: request)
    let isAccepted = if case .accept = decision { true } else { false }
    try demandSame(isAccepted, lists.allSatisfy { $0 != nil }, "whether the handshake is good")
    guard let terms = CompressionTerms(offeredIn: headers) else { return }
    try demand([9, 12, 15].contains(terms.serverWindowBits), "a window of \(terms.serverWindowBits) bits")
    try demand(input.count >= "permessage-deflate".utf8.count, "agreed to what was not offered")

    let answers = try required(ExtensionList.parse(terms.description), "an answer that is malformed")
    try demandSame(answers.count, 1, "answers")
    try demandSame(answers[0].name, "permessage-deflate", "the answer's name")
    let named = answers[0].parameters.first { $0.name == "server_max_window_bits" }
    // Section 7.1.2.1 of RFC 7692: a window is named only to who has asked for one, and is none that is larger.
    if let named {
      try demandSame(named.value, "\(terms.serverWindowBits)", "the window that is named")
      let asked = fields.compactMap(ExtensionList.parse).joined().flatMap(\.parameters)
        .filter { $0.name == "server_max_window_bits" }.compactMap { $0.value.flatMap { Int($0) } }
      try demand(asked.contains { $0 >= terms.serverWindowBits }, "a larger window than was asked for")
    }
    // What is agreed can be offered again, and is agreed to as it is.
    let again = CompressionTerms(offeredIn: ["Sec-WebSocket-Extensions": terms.description])
    try demandSame(again?.description, terms.description, "offered again, it is something else")
  }
}
