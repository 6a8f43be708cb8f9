// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import HTTPTypes
import Hummingbird

/// Lets in who has a key; everybody where the server has none.
package struct KeyGuard {
  let keys: [[UInt8]]
  let open: Set<String>

  init(_ settings: ServerSettings) {
    keys = settings.apiKeys.map { Array($0.utf8) }
    open = Self.healthRoutes.union(settings.vertex.map { [$0.healthRoute] } ?? [])
  }

  /// What can be asked without a key: whether the server lives.
  static let healthRoutes: Set = [
    "/health", "/v1/health", "/ping", "/v2/health/live", "/v2/health/ready",
  ]

  func check(_ request: Request) throws(ServerError) {
    guard !keys.isEmpty, !open.contains(request.uri.path) else { return }
    for given in Self.given(request) where isKey(given) { return }
    throw ServerError(
      .unauthorized,
      "This server asks for a key: send 'Authorization: Bearer KEY', or x-api-key, x-goog-api-key.")
  }

  /// The keys that a request shows, in all the ways in which clients do.
  private static func given(_ request: Request) -> [String] {
    var found = [request.headers[.apiKey], request.headers[.googleKey]].compactMap(\.self)
    if let header = request.headers[.authorization] {
      let parts = header.split(separator: " ", maxSplits: 1)
      if parts.count == 2, parts[0].lowercased() == "bearer" { found.append(String(parts[1])) }
      // Browsers ask for a name and a password; the key is the password.
      if parts.count == 2, parts[0].lowercased() == "basic",
        let data = Data(base64Encoded: String(parts[1]))
      {
        let pair = String(decoding: data, as: UTF8.self)
        if let colon = pair.firstIndex(of: ":") {
          found.append(String(pair[pair.index(after: colon)...]))
        }
      }
    }
    if let key = request.uri.queryParameters["key"] { found.append(String(key)) }
    return found
  }

  /// Whether `text` is one of the keys.
  ///
  /// All of it is compared with all of each, so that the time says nothing of where they differ.
  private func isKey(_ text: String) -> Bool {
    let given = Array(text.utf8)
    return keys.reduce(false) { Self.isEqual(given, $1) || $0 }
  }

  package static func isEqual(_ given: [UInt8], _ key: [UInt8]) -> Bool {
    guard !key.isEmpty else { return false }
    var difference = given.count ^ key.count
    for index in given.indices { difference |= Int(given[index] ^ key[index % key.count]) }
    return difference == 0
  }
}
