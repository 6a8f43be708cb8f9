// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Yams

extension ServerSettings {
  /// Changes the settings that the YAML file at `path` names.
  public mutating func read(file path: String) throws(ServerError) {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw ServerError(.invalidSettings, "The settings '\(path)' cannot be read.")
    }
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw ServerError(.invalidSettings, "The settings '\(path)' are not YAML: \(error)")
    }
    guard let root else { return }
    guard let mapping = root.mapping else {
      throw ServerError(.invalidSettings, "The settings '\(path)' must be names with values.")
    }
    for (name, value) in mapping {
      try set(name.string ?? "", to: try Self.texts(value, of: name.string ?? ""))
    }
  }

  private static func texts(_ value: Node, of name: String) throws(ServerError) -> [String] {
    if let text = value.scalar?.string { return [text] }
    let texts = value.sequence?.compactMap(\.scalar?.string)
    guard let texts, texts.count == value.sequence?.count else {
      throw ServerError(
        .invalidSettings, "The setting '\(name)' must be a value or a list of values.")
    }
    return texts
  }

  /// Changes the settings that `environment` has, `FACET_HOST` for `host`; lists are parted by commas.
  public mutating func read(environment: [String: String]) throws(ServerError) {
    for key in SettingKey.all {
      guard let text = environment[key.environmentName], !text.isEmpty else { continue }
      let values = text.split(separator: ",").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      try key.apply(&self, values)
    }
    try readVertex(environment)
  }

  /// Changes the setting called `name`.
  public mutating func set(_ name: String, to values: [String]) throws(ServerError) {
    guard let key = SettingKey.all.first(where: { $0.name == name }) else {
      throw ServerError(
        .invalidSettings,
        "There is no setting '\(name)'. There are: "
          + SettingKey.all.map(\.name).joined(separator: ", ") + ".")
    }
    try key.apply(&self, values)
  }

  /// The contract of Vertex AI's custom containers: it sets the port and the routes.
  private mutating func readVertex(_ environment: [String: String]) throws(ServerError) {
    guard let port = environment["AIP_HTTP_PORT"] else { return }
    guard let number = Int(port), (1...65535).contains(number) else {
      throw ServerError(.invalidSettings, "AIP_HTTP_PORT is '\(port)'; it must be a port.")
    }
    listeners = [Listener(host: "0.0.0.0", port: number)]
    // Vertex AI lets nobody in but its own front.
    allowsAnyone = true
    let endpoint = environment["AIP_ENDPOINT_ID"] ?? "endpoint"
    let model = environment["AIP_DEPLOYED_MODEL_ID"] ?? "model"
    let route = "/v1/endpoints/\(endpoint)/deployedModels/\(model)"
    vertex = VertexSettings(
      healthRoute: environment["AIP_HEALTH_ROUTE"] ?? route,
      predictRoute: environment["AIP_PREDICT_ROUTE"] ?? route + ":predict")
  }

  /// The settings as `facet serve --check` shows them; keys stay secret.
  public var summary: String {
    var lines = ["listen        " + listeners.map(\.description).joined(separator: ", ")]
    lines.append("models        " + (models.isEmpty ? "on demand" : models.joined(separator: ", ")))
    lines.append("API key       " + (apiKeys.isEmpty ? "none" : "required"))
    lines.append("TLS           " + (tlsCertificate ?? "no"))
    lines.append(
      "origins       " + (origins.isEmpty ? "this server's page" : origins.joined(separator: ", ")))
    lines.append("at once       \(parallel) answers a model, \(maxQueue) requests waiting")
    return lines.joined(separator: "\n")
  }
}
