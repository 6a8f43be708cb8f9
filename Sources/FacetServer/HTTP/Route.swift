// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import Foundation
import HTTPTypes
import Hummingbird

/// A route of the server, and what `/openapi.json` says of it.
struct Route: Sendable {
  typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

  var method: HTTPRequest.Method
  /// As Hummingbird writes paths: `{name}` is one part, `**` all that follow.
  var path: String
  /// One line about it.
  var summary: String
  /// The JSON Schema of the body; nil: it has none.
  var body: JSON?
  /// What the parts of the path that vary are called, with an example.
  var parameters: [(name: String, example: String)] = []
  var handler: Handler

  static func get(
    _ path: String, _ summary: String, _ parameters: [(name: String, example: String)] = [],
    _ handler: @escaping Handler
  ) -> Route {
    Route(method: .get, path: path, summary: summary, parameters: parameters, handler: handler)
  }

  static func post(
    _ path: String, _ summary: String, _ body: JSON?,
    _ parameters: [(name: String, example: String)] = [], _ handler: @escaping Handler
  ) -> Route {
    Route(
      method: .post, path: path, summary: summary, body: body, parameters: parameters,
      handler: handler)
  }
}

extension Request {
  /// The path after `prefix`, with its escapes resolved; nil when they are no UTF-8.
  func path(after prefix: String) -> String? {
    guard uri.path.hasPrefix(prefix) else { return nil }
    return String(uri.path.dropFirst(prefix.count)).removingPercentEncoding
  }
}
