// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
package import HTTPTypes
import Hummingbird

/// The family of clients that a request belongs to: each has its own shape of a refusal.
package enum APIShape: Sendable, Hashable, CaseIterable {
  case openAI, ollama, gemini, anthropic, kserve

  /// The family that a path and its headers speak; whether the route exists does not matter.
  ///
  /// `/v1/models` belongs to three of them: Gemini's clients show themselves by their headers, KServe's
  /// by the verb after the name.
  package init(path: String, headers: HTTPFields = [:], query: String? = nil) {
    func begins(_ prefix: String) -> Bool { path == prefix || path.hasPrefix(prefix + "/") }
    if begins("/api") {
      self = .ollama
    } else if begins("/v2") || path.hasSuffix(":predict") {
      self = .kserve
    } else if begins("/v1beta") || begins("/v1alpha") {
      self = .gemini
    } else if begins("/v1/messages") || headers[.anthropicVersion] != nil {
      self = .anthropic
    } else if begins("/v1/models"), Self.isGemini(path: path, headers: headers, query: query) {
      self = .gemini
    } else {
      self = .openAI
    }
  }

  /// Whether a request for `/v1/models…` comes from a client of the Gemini API.
  static func isGemini(path: String, headers: HTTPFields, query: String?) -> Bool {
    if headers[.googleKey] != nil || headers[.userAgent]?.contains("google-genai") == true {
      return true
    }
    if let client = headers[.googleClient], client.contains("genai") { return true }
    if query?.split(separator: "&").contains(where: { $0.hasPrefix("key=") }) == true {
      return true
    }
    return GeminiVerb.allCases.contains { path.hasSuffix(":\($0.rawValue)") }
  }

  /// The body of a refusal.
  func body(of error: ServerError) -> JSON {
    switch self {
    case .ollama, .kserve: .record(["error": .string(error.message)])
    case .openAI: OpenAIRefusal.body(of: error)
    case .gemini: GeminiRefusal.body(of: error, status: status(of: error))
    case .anthropic: AnthropicRefusal.body(of: error)
    }
  }

  /// The HTTP status of a refusal.
  func status(of error: ServerError) -> HTTPResponse.Status {
    switch error.code {
    // What is not offered, too: clients ask again after 501, as after every 5xx.
    case .invalidRequest, .contextFull, .unsupported: .badRequest
    case .unauthorized: .unauthorized
    case .forbidden: .forbidden
    case .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .tooLarge: .contentTooLarge
    case .headTooLarge: .requestHeaderFieldsTooLarge
    case .busy, .unavailable:
      self == .anthropic && error.code == .busy ? Self.overloaded : .serviceUnavailable
    case .clientGone: Self.clientClosedRequest
    case .failed, .invalidSettings: .internalServerError
    }
  }

  /// What Anthropic's clients wait for and ask again.
  static let overloaded = HTTPResponse.Status(code: 529, reasonPhrase: "Overloaded")
  /// For the log: nobody reads it.
  static let clientClosedRequest = HTTPResponse.Status(
    code: 499, reasonPhrase: "Client Closed Request")

  /// The response that refuses.
  func refusal(_ error: ServerError) -> Response {
    var headers: HTTPFields = [:]
    if let seconds = error.retryAfter { headers[.retryAfter] = "\(seconds)" }
    if error.code == .unauthorized { headers[.wwwAuthenticate] = "Basic realm=\"facet\", Bearer" }
    return .json(body(of: error), status: status(of: error), headers: headers)
  }
}

extension HTTPField.Name {
  static let googleKey = Self.named("x-goog-api-key")
  static let googleClient = Self.named("x-goog-api-client")
  static let anthropicVersion = Self.named("anthropic-version")
  static let apiKey = Self.named("x-api-key")
  static let requestID = Self.named("x-request-id")
  static let inferenceHeaderLength = Self.named("inference-header-content-length")

  /// A name that this file spells; all are tokens as HTTP wants them.
  private static func named(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .accept }
}
