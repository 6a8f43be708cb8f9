// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// How OpenAI's API refuses: `{"error": {"message", "type", "param", "code"}}`.
enum OpenAIRefusal {
  static func body(of error: ServerError) -> JSON {
    .record([
      "error": .record([
        "message": .string(error.message), "type": .string(type(of: error.code)),
        "param": error.parameter.map { .string($0) } ?? .null,
        "code": code(of: error.code).map { .string($0) } ?? .null,
      ])
    ])
  }

  private static func type(of code: ServerError.Code) -> String {
    switch code {
    case .invalidRequest, .methodNotAllowed, .tooLarge, .headTooLarge, .unsupported:
      "invalid_request_error"
    case .unauthorized: "authentication_error"
    case .forbidden: "permission_error"
    case .notFound: "not_found_error"
    case .contextFull: "exceed_context_size_error"
    case .busy, .unavailable: "unavailable_error"
    case .clientGone, .failed, .invalidSettings: "server_error"
    }
  }

  private static func code(of code: ServerError.Code) -> String? {
    switch code {
    case .unauthorized: "invalid_api_key"
    case .contextFull: "context_length_exceeded"
    case .notFound: "model_not_found"
    case .unsupported: "unsupported_parameter"
    default: nil
    }
  }
}
