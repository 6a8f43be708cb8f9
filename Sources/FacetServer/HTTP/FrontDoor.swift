// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// What every request passes: it gets an identifier, the page that asks and the key are looked at, and
/// whatever goes wrong behind becomes a refusal in the shape of the API that was called.
struct FrontDoor: RouterMiddleware {
  typealias Context = ServerContext
  let server: Server

  func handle(
    _ request: Request, context: ServerContext,
    next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    var context = context
    context.requestID = Self.identifier(request)
    context.shape = APIShape(
      path: request.uri.path, headers: request.headers, query: request.uri.query)
    context.logger = server.logger
    context.logger[metadataKey: "request"] = .string(context.requestID)
    let origins = OriginGuard(server.settings)
    var response: Response
    do {
      try origins.check(request)
      if let answer = origins.preflight(request) {
        response = answer
      } else {
        try KeyGuard(server.settings).check(request)
        response = try await next(request, context)
      }
    } catch {
      let refusal = self.refusal(error, request)
      if refusal.code == .failed { context.logger.error("\(refusal.message)") }
      response = context.shape.refusal(refusal)
    }
    response.headers[.requestID] = context.requestID
    origins.mark(&response, for: request)
    note(request, response, context, ContinuousClock.now - start)
    return response
  }

  /// The client's own identifier, where it is harmless; otherwise a new one.
  private static func identifier(_ request: Request) -> String {
    if let given = request.headers[.requestID], (1...64).contains(given.utf8.count),
      given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C })
    {
      return given
    }
    return "req-" + UUID().uuidString.lowercased()
  }

  private func refusal(_ error: any Error, _ request: Request) -> ServerError {
    guard let error = error as? HTTPError else { return ServerError(error) }
    let path = String(request.uri.path.prefix(200))
    switch error.status {
    case .notFound:
      let methods = server.methods(at: request.uri.path)
      if !methods.isEmpty {
        return ServerError(
          .methodNotAllowed,
          "\(path) takes \(methods.joined(separator: ", ")), not \(request.method.rawValue).")
      }
      return ServerError(
        .notFound, "There is no route \(request.method.rawValue) \(path); /openapi.json lists them."
      )
    case .contentTooLarge: return ServerError(.tooLarge, "The body is too large.")
    case .badRequest: return ServerError(.invalidRequest, error.body ?? "The request is malformed.")
    default: return ServerError(.failed, error.body ?? "The request failed.")
    }
  }

  private func note(
    _ request: Request, _ response: Response, _ context: ServerContext, _ time: Duration
  ) {
    let path = request.uri.path
    server.metrics.count(
      ServerMetrics.Responses(api: "\(context.shape)", status: response.status.code))
    context.logger.info(
      "\(request.method.rawValue) \(path.prefix(200))",
      metadata: [
        "status": .stringConvertible(response.status.code),
        "ms": .stringConvertible(Int(time / .milliseconds(1))),
      ])
  }
}
