// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Asks web servers, following redirects and leaving proxies and certificates to the system.
package struct HTTPClient: Sendable {
  /// How long a server may be silent.
  package var timeout: Duration

  package init(timeout: Duration) { self.timeout = timeout }

  /// Sends `request` and hands on what comes.
  ///
  /// `head` sees the answer that is not a redirect; when it or `body` throws, the connection is
  /// closed and the error comes out here. What the network does wrong comes out as `HTTPFailure`.
  package func send(
    _ request: HTTPRequest,
    head: @escaping @Sendable (HTTPHead) throws -> Void,
    body: @escaping @Sendable (Data) throws -> Void
  ) async throws {
    var request = request
    for _ in 0..<10 {
      try Task.checkCancellation()
      let exchange = HTTPExchange(head: head, body: body)
      guard let target = try await exchange.run(urlRequest(request), timeout: timeout) else {
        return
      }
      request = try request.redirected(to: target)
    }
    throw HTTPFailure(.refused, "it redirects in circles")
  }

  /// The whole body of the answer, which `check` may refuse by its head.
  package func body(
    _ request: HTTPRequest, limit: Int, check: @escaping @Sendable (HTTPHead) throws -> Void
  ) async throws -> Data {
    let kept = ReceivedBody(limit: limit)
    try await send(request, head: check, body: kept.append)
    return kept.data
  }

  private func urlRequest(_ request: HTTPRequest) -> URLRequest {
    var result = URLRequest(url: request.url)
    // What is counted and hashed are the bytes of the file, not of its compression.
    result.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    result.setValue("facet", forHTTPHeaderField: "User-Agent")
    for (name, value) in request.headers { result.setValue(value, forHTTPHeaderField: name) }
    if let token = request.token {
      result.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
    }
    if let body = request.body {
      result.httpMethod = "POST"
      result.httpBody = body
    }
    // The exchange keeps the time itself.
    result.timeoutInterval = timeout / .seconds(1) * 2
    return result
  }
}
