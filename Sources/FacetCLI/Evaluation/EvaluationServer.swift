// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import FacetEvaluation
import FacetStore
import Foundation
import Synchronization

/// The server behind which the model to be measured is.
struct EvaluationServer: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Measure the model called so by a server with OpenAI's completions API (its key: OPENAI_API_KEY).",
      valueName: "address"))
  var server: String?

  @Option(parsing: .unconditional, help: "Requests to the server at once.")
  var concurrency = 8

  @Option(parsing: .unconditional, help: "Seconds that the server may be silent.")
  var timeout = 300

  func validate() throws {
    for (name, value, most) in [("concurrency", concurrency, 1024), ("timeout", timeout, 86_400)]
    where !(1...most).contains(value) {
      throw ValidationError("--\(name) must be between 1 and \(most).")
    }
    if let server { _ = try Self.route(server) }
  }

  /// The model called `name` there; nil without a server.
  func model(_ name: String) throws -> CompletionServer? {
    guard let server else { return nil }
    let url = try Self.route(server)
    let client = HTTPClient(timeout: .seconds(timeout))
    let key = ProcessInfo.processInfo.environment["OPENAI_API_KEY"]
    var result = CompletionServer(model: name, address: url.absoluteString) { body in
      try await Self.post(body, to: url, key: key, client)
    }
    result.concurrency = concurrency
    return result
  }

  /// The address of completions: what the user gave, or what OpenAI's clients make of a base address.
  private static func route(_ text: String) throws -> URL {
    var text = text
    while text.hasSuffix("/") { text.removeLast() }
    guard let base = URL(string: text), ["http", "https"].contains(base.scheme?.lowercased()),
      base.host?.isEmpty == false, base.query == nil, base.user == nil,
      let url = URL(string: text + ending(base.path))
    else {
      throw ValidationError(
        "--server '\(text)' is not the address of a server; write it like http://127.0.0.1:11434/v1."
      )
    }
    return url
  }

  private static func ending(_ path: String) -> String {
    if path.hasSuffix("/completions") { return "" }
    return path.isEmpty ? "/v1/completions" : "/completions"
  }

  private static func post(
    _ body: [UInt8], to url: URL, key: String?, _ client: HTTPClient
  ) async throws -> CompletionServer.Reply {
    var request = HTTPRequest(url, token: key)
    request.headers["Content-Type"] = "application/json"
    request.body = Data(body)
    let reply = Mutex(CompletionServer.Reply(status: 0, body: []))
    do {
      let data = try await client.body(request, limit: 256 << 20) { head in
        reply.withLock { ($0.status, $0.retryAfter) = (head.status, head.retryAfter) }
      }
      var result = reply.withLock { $0 }
      result.body = [UInt8](data)
      return result
    } catch let failure as HTTPFailure {
      guard failure.kind == .refused else { throw CompletionServer.Silence(failure.reason) }
      throw Failure("\(url.absoluteString) cannot be used: \(failure.reason).")
    }
  }
}
