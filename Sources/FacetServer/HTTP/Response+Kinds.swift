// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
  /// A JSON value.
  static func json(
    _ value: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    var headers = headers
    headers[.contentType] = "application/json; charset=utf-8"
    return Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(string: value.text)))
  }

  /// A text.
  static func text(
    _ text: String, type: String = "text/plain; charset=utf-8", headers: HTTPFields = [:]
  ) -> Response {
    var headers = headers
    headers[.contentType] = type
    return Response(
      status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  /// A body that is written as it comes about.
  ///
  /// When `write` throws, the status has been sent: `refusal` makes of the error what this kind of stream
  /// ends with.
  static func stream(
    _ kind: StreamKind, refusal: @escaping @Sendable (ServerError) -> StreamFrame?,
    write: @escaping @Sendable (inout StreamWriter) async throws -> Void
  ) -> Response {
    let headers: HTTPFields = [
      .contentType: kind.contentType, .cacheControl: "no-cache", .xAccelBuffering: "no",
    ]
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { body in
        var writer = StreamWriter(kind: kind, body: body)
        do {
          try await write(&writer)
        } catch is ChannelError {
          throw ServerError(.clientGone, "The client went away.")
        } catch {
          let error = ServerError(error)
          guard error.code != .clientGone else { throw error }
          if let frame = refusal(error) { try await writer.send(frame) }
        }
        try await writer.finish()
      })
  }
}

extension HTTPField.Name {
  /// Asks proxies (nginx) to pass a stream on as it comes.
  fileprivate static let xAccelBuffering = HTTPField.Name("x-accel-buffering") ?? .cacheControl
}

/// How the values of a stream are told apart.
enum StreamKind: Sendable {
  /// Server-sent events.
  case events
  /// One JSON value a line.
  case lines
  /// One JSON array.
  case array

  var contentType: String {
    switch self {
    case .events: "text/event-stream; charset=utf-8"
    case .lines: "application/x-ndjson"
    case .array: "application/json; charset=utf-8"
    }
  }
}

/// One value of a stream.
struct StreamFrame: Sendable {
  /// The name of a server-sent event; nil: none.
  var name: String?
  var text: String

  init(_ value: JSON, name: String? = nil) {
    text = value.text
    self.name = name
  }

  /// A frame that is no JSON: `[DONE]`.
  init(text: String) { self.text = text }
}

/// Writes the frames of a stream.
struct StreamWriter {
  let kind: StreamKind
  private var body: any ResponseBodyWriter
  private var isFirst = true

  init(kind: StreamKind, body: any ResponseBodyWriter) {
    self.kind = kind
    self.body = body
  }

  /// Sends a value; returns when the connection has taken it.
  mutating func send(_ value: JSON, name: String? = nil) async throws {
    try await send(StreamFrame(value, name: name))
  }

  mutating func send(_ frame: StreamFrame) async throws {
    let text =
      switch kind {
      case .events: (frame.name.map { "event: \($0)\n" } ?? "") + "data: \(frame.text)\n\n"
      case .lines: frame.text + "\n"
      case .array: (isFirst ? "[" : ",\n") + frame.text
      }
    isFirst = false
    try await body.write(ByteBuffer(string: text))
  }

  /// Shows proxies that the connection lives; clients pass it over.
  mutating func ping() async throws {
    if kind == .events { try await body.write(ByteBuffer(string: ": ping\n\n")) }
  }

  mutating func finish() async throws {
    if kind == .array { try await body.write(ByteBuffer(string: isFirst ? "[]" : "]")) }
    try await body.finish(nil)
  }
}
