// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetJSON
import FacetModel
import FacetStore
import FacetTokenizer
import Foundation
import Hummingbird

/// What Ollama's API says of the models that are there: tags, show, ps, version.
struct OllamaLibrary: Sendable {
  let server: Server

  /// A version of Ollama whose features this server has; clients ask for them by it.
  static let emulatedVersion = "0.12.6"

  @Sendable func version(_ request: Request, _ context: ServerContext) -> Response {
    .json(.record(["version": .string(Self.emulatedVersion)]))
  }

  @Sendable func status(_ request: Request, _ context: ServerContext) -> Response {
    .json(.record(["cloud": .record(["disabled": true, "source": "none"])]))
  }

  @Sendable func tags(_ request: Request, _ context: ServerContext) throws -> Response {
    let models = try server.models.stored().map { model -> JSON in
      let card = try? server.models.card(model)
      return .record([
        "name": .string(model.name), "model": .string(model.name),
        "modified_at": .string(OllamaShapes.time(model.pulled)),
        "size": .integer(model.byteCount), "digest": .string(model.digest),
        "details": Self.details(model, card), "capabilities": Self.capabilities(card),
      ])
    }
    return .json(.record(["models": .array(models)]))
  }

  @Sendable func running(_ request: Request, _ context: ServerContext) async throws -> Response {
    let models = server.models.loaded().map { loaded -> JSON in
      let stored = try? server.models.find(loaded.name)
      return .record([
        "name": .string(loaded.name), "model": .string(loaded.name),
        "size": .integer(loaded.byteCount), "digest": .string(stored?.digest ?? ""),
        "details": Self.details(stored, loaded.card),
        "expires_at": .string(OllamaShapes.time(loaded.expires ?? Self.never)), "size_vram": 0,
        "context_length": .integer(loaded.contextLength),
      ])
    }
    return .json(.record(["models": .array(models)]))
  }

  /// Far enough; clients expect a time.
  private static let never = Date(timeIntervalSince1970: 4_102_444_800)

  @Sendable func show(_ request: Request, _ context: ServerContext) async throws -> Response {
    let fields = try await request.fields(server, context)
    let name = try OllamaNames.model(fields)
    guard let model = try server.models.find(name) else { throw ModelHost.unknown(name) }
    let card = try server.models.card(model)
    let settings = model.settings
    return .json(
      .record([
        "license": .string("\(model.licence.name)\n\n\(model.licence.notice)\n"),
        "modelfile": .string(Self.modelfile(model)),
        "parameters": settings?.parameters.map { .string(Self.parameterLines($0)) },
        "template": .string(card.chatFormat?.template ?? "{{ .Prompt }}"),
        "system": settings?.system.map { .string($0) }, "details": Self.details(model, card),
        "messages": settings.flatMap { settings in
          settings.messages.isEmpty
            ? nil
            : .array(
              settings.messages.map {
                .record(["role": .string($0.role), "content": .string($0.content)])
              })
        }, "model_info": try information(model, card), "capabilities": Self.capabilities(card),
        "modified_at": .string(OllamaShapes.time(model.pulled)),
      ]))
  }

  // MARK: Pieces

  static func details(_ model: StoredModel?, _ card: ModelCard?) -> JSON {
    .record([
      "parent_model": "", "format": .string(card?.format == .gguf ? "gguf" : "safetensors"),
      "family": .string(card?.architecture ?? ""),
      "families": .strings(card.map { [$0.architecture] } ?? []),
      "parameter_size": .string(card.map { size($0.parameterCount) } ?? ""),
      "quantization_level": .string(card?.dtypes.first.map { $0.dtype.uppercased() } ?? ""),
      "context_length": card.map { .integer($0.contextLength) },
    ])
  }

  /// What a client may ask of the model.
  static func capabilities(_ card: ModelCard?) -> JSON {
    .strings(["completion", "embedding"] + (card?.chatFormat == nil ? [] : ["tools"]))
  }

  /// `268.1M`, `4.3B`.
  static func size(_ count: Int) -> String {
    func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
    return count >= 1_000_000_000
      ? rounded(Double(count) / 1e9) + "B" : rounded(Double(count) / 1e6) + "M"
  }

  private func information(_ model: StoredModel, _ card: ModelCard) throws -> JSON {
    let shape = try server.models.configuration(model)
    let family = card.architecture
    return .record([
      "general.architecture": .string(family), "general.basename": .string(model.name),
      "general.parameter_count": .integer(card.parameterCount),
      "\(family).context_length": .integer(card.contextLength),
      "\(family).embedding_length": .integer(shape.width),
      "\(family).block_count": .integer(shape.layers),
      "\(family).vocab_size": .integer(shape.vocabulary),
    ])
  }

  private static func modelfile(_ model: StoredModel) -> String {
    var lines = ["# Modelfile of \(model.name)", "FROM \(model.path)"]
    if let system = model.settings?.system { lines.append("SYSTEM \"\"\"\(system)\"\"\"") }
    for line in (model.settings?.parameters.map(parameterLines) ?? "").split(separator: "\n") {
      lines.append("PARAMETER \(line)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A line for each parameter; a list has one for each value.
  static func parameterLines(_ text: String) -> String {
    guard let object = (try? JSON(text: text))?.object else { return "" }
    return object.members.flatMap { member in
      (member.value.array ?? [member.value]).map { value in
        "\(member.key) \(value.string.map { JSON.string($0).text } ?? value.text)"
      }
    }.joined(separator: "\n")
  }
}
