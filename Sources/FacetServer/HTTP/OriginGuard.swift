// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import HTTPTypes
import Hummingbird

/// Keeps pages of other hosts from using the server of whoever looks at them.
///
/// A browser says which page asks (`Origin`); it must be this server's own, or on the list. And a name
/// that somebody else has pointed at this machine (DNS rebinding) is not this server's: without a key,
/// only addresses, `localhost`, this machine's name and the names in the settings are.
struct OriginGuard {
  private let origins: [String]
  private let hostNames: [String]
  private let checksHost: Bool

  init(_ settings: ServerSettings) {
    origins = settings.origins
    hostNames = settings.hostNames.map { $0.lowercased() }
    checksHost = settings.apiKeys.isEmpty && !settings.allowsAnyone
  }

  func check(_ request: Request) throws(ServerError) {
    let authority = request.head.authority?.lowercased() ?? ""
    if checksHost, !authority.isEmpty, !isOwn(Self.host(of: authority)) {
      throw ServerError(
        .forbidden,
        "'\(authority.prefix(100))' is no name of this server; add it to host_names in its settings."
      )
    }
    if let origin = request.headers[.origin], !isAllowed(origin, authority) {
      throw ServerError(
        .forbidden,
        "Pages of '\(origin.prefix(100))' may not ask here; add it to origins in the server's settings."
      )
    }
  }

  /// What a browser wants to know before it lets a page ask.
  func preflight(_ request: Request) -> Response? {
    guard request.method == .options, request.headers[.origin] != nil,
      request.headers[.accessControlRequestMethod] != nil
    else { return nil }
    return Response(
      status: .noContent,
      headers: [
        .accessControlAllowMethods: "GET, HEAD, POST, DELETE, OPTIONS",
        .accessControlAllowHeaders: request.headers[.accessControlRequestHeaders]
          ?? "content-type, authorization",
        .accessControlMaxAge: "600",
      ])
  }

  /// Tells the browser that the page may read the response.
  func mark(_ response: inout Response, for request: Request) {
    guard let origin = request.headers[.origin],
      isAllowed(origin, request.head.authority?.lowercased() ?? "")
    else { return }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.vary] = "Origin"
  }

  private func isAllowed(_ origin: String, _ authority: String) -> Bool {
    if origins.contains("*") || origins.contains(origin) { return true }
    guard let scheme = origin.range(of: "://") else { return false }
    return origin[scheme.upperBound...].lowercased() == authority
  }

  private static func host(of authority: String) -> String {
    if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
      return String(authority[...close])
    }
    return String(authority.split(separator: ":").first ?? "")
  }

  private func isOwn(_ host: String) -> Bool {
    let isAddress = host.hasPrefix("[") || host.allSatisfy { $0.isNumber || $0 == "." }
    return isAddress || host == "localhost" || host.hasSuffix(".localhost")
      || host == Self.machineName || hostNames.contains(host)
  }

  private static let machineName = ProcessInfo.processInfo.hostName.lowercased()
}
