// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation
import HTTPTypes
import Hummingbird

/// The page to chat on: one file, in the binary, that asks for nothing elsewhere.
package enum ChatPage {
  /// The page's text.
  package static let text = String(decoding: PackageResources.page_html, as: UTF8.self)

  /// What the page may do: run its own script and ask this server, nothing else.
  ///
  /// Script and style stand in the page; their checksums let them run, and nothing that an answer might
  /// bring.
  package static let policy = [
    "default-src 'none'", "script-src 'sha256-\(checksum(of: "script"))'",
    "style-src 'sha256-\(checksum(of: "style"))'", "connect-src 'self'", "img-src data:",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
  ].joined(separator: "; ")

  static var response: Response {
    .text(
      text, type: "text/html; charset=utf-8",
      headers: [
        .contentSecurityPolicy: policy, .xContentTypeOptions: "nosniff", .cacheControl: "no-cache",
        .referrerPolicy: "no-referrer", .vary: "Accept",
      ])
  }

  /// The SHA-256 of what stands between `<tag>` and `</tag>`, in base 64.
  static func checksum(of tag: String) -> String {
    guard let start = text.range(of: "<\(tag)>")?.upperBound,
      let end = text.range(of: "</\(tag)>", range: start..<text.endIndex)?.lowerBound
    else { return "" }
    var hash = SHA256()
    hash.update(Array(text[start..<end].utf8).span)
    let hex = hash.finish()
    let bytes = stride(from: 0, to: hex.count, by: 2).compactMap { index -> UInt8? in
      let from = hex.index(hex.startIndex, offsetBy: index)
      return UInt8(hex[from..<hex.index(from, offsetBy: 2)], radix: 16)
    }
    return Data(bytes).base64EncodedString()
  }
}

extension HTTPField.Name {
  fileprivate static let referrerPolicy = HTTPField.Name("referrer-policy") ?? .vary
}
