// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import HTTPTypes

/// How the Gemini API refuses: `{"error": {"code", "message", "status"}}`.
enum GeminiRefusal {
  static func body(of error: ServerError, status: HTTPResponse.Status) -> JSON {
    .record([
      "error": .record([
        "code": .integer(status.code), "message": .string(error.message),
        "status": .string(name(of: error.code)),
      ])
    ])
  }

  /// Names of google.rpc.Code.
  private static func name(of code: ServerError.Code) -> String {
    switch code {
    case .invalidRequest, .contextFull, .tooLarge, .headTooLarge, .methodNotAllowed, .unsupported:
      "INVALID_ARGUMENT"
    case .unauthorized: "UNAUTHENTICATED"
    case .forbidden: "PERMISSION_DENIED"
    case .notFound: "NOT_FOUND"
    case .busy, .unavailable: "UNAVAILABLE"
    case .clientGone: "CANCELLED"
    case .failed, .invalidSettings: "INTERNAL"
    }
  }
}
