// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// How Anthropic's API refuses: `{"type": "error", "error": {"type", "message"}}`.
enum AnthropicRefusal {
  static func body(of error: ServerError) -> JSON {
    .record([
      "type": "error",
      "error": .record([
        "type": .string(type(of: error.code)), "message": .string(error.message),
      ]),
    ])
  }

  private static func type(of code: ServerError.Code) -> String {
    switch code {
    case .invalidRequest, .contextFull, .unsupported, .methodNotAllowed: "invalid_request_error"
    case .unauthorized: "authentication_error"
    case .forbidden: "permission_error"
    case .notFound: "not_found_error"
    case .tooLarge, .headTooLarge: "request_too_large"
    case .busy: "overloaded_error"
    case .unavailable, .clientGone, .failed, .invalidSettings: "api_error"
    }
  }
}
