// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A question to a web server: an address and what is said with it.
package struct HTTPRequest: Sendable, Hashable {
  package var url: URL
  package var headers: [String: String] = [:]
  /// Goes along as long as the address stays on the same server.
  package var token: String?
  /// What is posted; nil: the question is its address.
  package var body: Data?

  package init(_ url: URL, token: String? = nil) {
    self.url = url
    self.token = token
  }

  /// The same question at the address that a server points to.
  ///
  /// The token is for the server that the user chose: it is dropped on any other, and stays dropped.
  /// An encrypted connection is never given up for a plain one.
  package func redirected(to target: URL) throws(HTTPFailure) -> HTTPRequest {
    guard let scheme = target.scheme?.lowercased(), ["http", "https"].contains(scheme),
      scheme == "https" || url.scheme?.lowercased() == "http", target.host != nil
    else {
      throw HTTPFailure(
        .refused, "it redirects to an address that is not safe ('\(Self.shown(target))')")
    }
    var next = self
    next.url = target
    if !isSameServer(as: target) { next.token = nil }
    return next
  }

  /// Whether `other` is on the server that is asked, and reached as it is.
  func isSameServer(as other: URL) -> Bool {
    url.scheme?.lowercased() == other.scheme?.lowercased()
      && url.host?.lowercased() == other.host?.lowercased() && url.port == other.port
  }

  /// An address without its query, which may hold a signature.
  private static func shown(_ url: URL) -> String {
    PlainText.line(url.absoluteString.split(separator: "?").first.map { String($0) } ?? "")
  }
}

/// What an answer begins with.
package struct HTTPHead: Sendable {
  package let status: Int
  private let fields: [String: String]

  init(_ response: HTTPURLResponse) {
    status = response.statusCode
    var fields: [String: String] = [:]
    for (name, value) in response.allHeaderFields {
      guard let name = name as? String, let value = value as? String else { continue }
      fields[name.lowercased()] = value
    }
    self.fields = fields
  }

  /// The header called `name`, in whatever case it came.
  package subscript(_ name: String) -> String? { fields[name.lowercased()] }

  /// The announced length of the body.
  package var contentLength: Int? { self["Content-Length"].flatMap { Int($0) } }

  /// The first byte and the size of the whole, from `Content-Range: bytes first-last/total`.
  package var contentRange: (first: Int, total: Int?)? {
    guard let text = self["Content-Range"], text.lowercased().hasPrefix("bytes ") else {
      return nil
    }
    let halves = text.dropFirst(6).split(separator: "/")
    guard halves.count == 2, let first = halves[0].split(separator: "-").first.flatMap({ Int($0) })
    else { return nil }
    return (first, Int(halves[1]))
  }

  /// The entity tag when it promises the same bytes, not only the same meaning.
  package var strongTag: String? {
    self["ETag"].flatMap { $0.hasPrefix("\"") && $0.utf8.count <= 256 ? $0 : nil }
  }

  /// How long the server asks to wait, when it says so in seconds.
  package var retryAfter: Duration? {
    guard let text = self["Retry-After"], let seconds = Int(text), (0...86400).contains(seconds)
    else { return nil }
    return .seconds(seconds)
  }
}

/// Why there is no answer, or not all of it.
package struct HTTPFailure: Error, Sendable, Hashable {
  /// What to make of it.
  package enum Kind: Sendable, Hashable {
    /// Nothing was reached: trying again helps only if the network comes back.
    case unreachable
    /// The answer broke off or took too long: trying again helps.
    case dropped
    /// Trying again does not help.
    case refused
  }

  package let kind: Kind
  /// Part of a sentence: "the connection was dropped".
  package let reason: String

  package init(_ kind: Kind, _ reason: String) {
    self.kind = kind
    self.reason = reason
  }
}
