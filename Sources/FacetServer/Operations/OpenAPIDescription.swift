// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetJSON
import HTTPTypes

/// `/openapi.json`: the routes as OpenAPI 3.1 describes them, made of the table that serves them.
enum OpenAPIDescription {
  static func document(_ routes: [Route]) -> JSON {
    var paths = JSONObject()
    var order: [String] = []
    var methods: [String: JSONObject] = [:]
    for route in routes {
      let path = describedPath(route)
      if methods[path] == nil { order.append(path) }
      methods[path] = (methods[path] ?? JSONObject()).adding([:])
      _ = methods[path]?.append(route.method.rawValue.lowercased(), operation(route))
    }
    for path in order { _ = paths.append(path, .object(methods[path] ?? JSONObject())) }
    return .record([
      "openapi": "3.1.0",
      "info": .record([
        "title": "Facet", "version": .string(Version.current),
        "description":
          "Gemma models behind the APIs of Ollama, OpenAI, Google, Anthropic and KServe.",
      ]), "paths": .object(paths),
      "components": .record([
        "securitySchemes": .record(["key": .record(["type": "http", "scheme": "bearer"])])
      ]),
      "security": [.record([:]), .record(["key": []])],
    ])
  }

  /// `**` is named by the route's parameter.
  private static func describedPath(_ route: Route) -> String {
    let name = route.parameters.first?.name ?? "rest"
    return route.path.replacing("**", with: "{\(name)}")
  }

  private static func operation(_ route: Route) -> JSON {
    let parameters = route.parameters.map { parameter -> JSON in
      .record([
        "name": .string(parameter.name), "in": "path", "required": true,
        "schema": .record(["type": "string", "minLength": 1]),
        "example": .string(parameter.example),
      ])
    }
    return .record([
      "summary": .string(route.summary),
      "parameters": parameters.isEmpty ? nil : .array(parameters),
      "requestBody": route.body.map { schema in
        .record([
          "required": true,
          "content": .record(["application/json": .record(["schema": schema])]),
        ])
      },
      "responses": .record([
        "200": .record(["description": "The answer"]),
        "4XX": .record(["description": "The request is refused, in the shape of its API"]),
        "503": .record(["description": "Busy or loading; ask again after Retry-After seconds"]),
      ]),
    ])
  }
}
