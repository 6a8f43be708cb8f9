// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetCheckpoint
import FacetGeneration
import FacetModel
import FacetStore
import Foundation
import Synchronization

/// The models of this server: those of the library, and those of them that are loaded.
final class ModelHost: Sendable {
  let store: ModelStore
  private let settings: ServerSettings
  private let memory: LoadedModels
  /// What is known of models by the digest of their files: reading it takes a tenth of a second.
  private let known = Mutex<[String: Known]>([:])
  /// Models that are files outside the library, named in the settings.
  private let outside: [StoredModel]

  private struct Known: Sendable {
    var card: ModelCard
    var configuration: ModelConfiguration
  }

  init(_ store: ModelStore, _ settings: ServerSettings) throws {
    self.store = store
    self.settings = settings
    memory = LoadedModels(
      store: store,
      options: LoadedModels.Options(
        memoryLimit: settings.memoryBudget, keepAlive: Self.keepAlive(settings.keepAlive),
        load: LanguageModel.LoadOptions(threads: settings.threads),
        engine: Engine.Options(
          sequences: settings.parallel, context: settings.contextLength,
          queueLimit: settings.maxQueue)))
    outside = try settings.models.filter(Self.isPath).map { try store.describe(file: $0) }
  }

  private static func isPath(_ name: String) -> Bool {
    ["/", "./", "../", "~/"].contains { name.hasPrefix($0) }
  }

  /// The names of the models that the settings ask for: a file has the name that it gives itself.
  var wanted: [String] {
    var files = outside[...]
    return settings.models.map { Self.isPath($0) ? files.popFirst()?.name ?? $0 : $0 }
  }

  // MARK: What there is

  /// All models, by name.
  func stored() throws -> [StoredModel] { try store.list() + outside }

  /// The model called `name`; nil when there is none.
  ///
  /// Only names of the library and of the settings are models here: a request names no files.
  func find(_ name: String) throws -> StoredModel? {
    let name = name.hasPrefix("models/") ? String(name.dropFirst("models/".count)) : name
    if let model = outside.first(where: { $0.name == name }) { return model }
    do {
      return try store.find(OllamaNames.library(name))
    } catch {
      guard error.code == .invalidName else { throw error }
      return nil
    }
  }

  /// The full name of the model that is meant by `wanted`, or where none is named.
  func name(_ wanted: String?) throws -> String { try resolve(wanted).name }

  private func resolve(_ wanted: String?) throws -> StoredModel {
    if let wanted, !wanted.isEmpty {
      guard let model = try find(wanted) else { throw Self.unknown(wanted) }
      return model
    }
    if let first = settings.models.first {
      if Self.isPath(first), let model = outside.first { return model }
      if let model = try find(first) { return model }
    }
    let models = try stored()
    if models.count == 1 { return models[0] }
    throw ServerError(
      .invalidRequest, "'model' is missing; /v1/models lists those that there are.",
      parameter: "model")
  }

  /// What is said of a name that no model has.
  static func unknown(_ name: String) -> ServerError {
    ServerError(.notFound, "model '\(name.prefix(200))' not found", parameter: "model")
  }

  /// What `model` is.
  func card(_ model: StoredModel) throws -> ModelCard { try known(model).card }

  /// The shape of `model`.
  func configuration(_ model: StoredModel) throws -> ModelConfiguration {
    try known(model).configuration
  }

  private func known(_ model: StoredModel) throws -> Known {
    if let found = known.withLock({ $0[model.digest] }) { return found }
    let checkpoint = try Checkpoint.open(store.locate(reference(model)))
    let found = Known(
      card: try ModelCard(checkpoint),
      configuration: try ModelConfiguration(checkpoint.architecture))
    known.withLock { $0[model.digest] = found }
    return found
  }

  // MARK: What is loaded

  /// The model that is meant by `wanted`, loaded, for as long as the result is held.
  func model(_ wanted: String?, keepAlive: KeepAlive? = nil) async throws -> ServedModel {
    let stored = try resolve(wanted)
    let usual = isPinned(stored) ? LoadedModels.KeepAlive.forever : nil
    let start = ContinuousClock.now
    let wasLoaded = memory.list.contains { $0.name == reference(stored) && !$0.isLoading }
    let lease = try await memory.lease(
      reference(stored), keepAlive: keepAlive.map { Self.keepAlive($0.duration) } ?? usual)
    return ServedModel(
      name: stored.name, settings: stored.settings,
      loadTime: wasLoaded ? .zero : ContinuousClock.now - start, lease: lease)
  }

  /// What a loader finds the model by.
  private func reference(_ model: StoredModel) -> String {
    outside.contains(model) ? model.path : model.name
  }

  private static func keepAlive(_ duration: Duration?) -> LoadedModels.KeepAlive {
    duration.map { $0 == .zero ? .never : .time($0) } ?? .forever
  }

  /// Models that the settings name stay loaded, unless a request says otherwise.
  private func isPinned(_ model: StoredModel) -> Bool {
    outside.contains(model)
      || settings.models.contains { (try? find($0))?.name == model.name }
  }

  /// Models in memory.
  func loaded() -> [RunningModel] {
    memory.list.compactMap { loaded in
      guard let engine = loaded.engine else { return nil }
      let name = outside.first { $0.path == loaded.name }?.name ?? loaded.name
      return RunningModel(
        name: name, card: engine.model.card, byteCount: loaded.byteCount,
        contextLength: engine.contextLength, status: engine.status,
        expires: loaded.remaining.map { Date(timeIntervalSinceNow: $0 / .seconds(1)) })
    }
  }

  /// Lets the model go; its running answers are finished.
  func unload(_ name: String) throws {
    let model = try resolve(name)
    memory.unload(reference(model))
  }

  /// Removes the model from the library and from memory.
  func remove(_ name: String) throws {
    let model = try resolve(name)
    guard !outside.contains(model) else {
      throw ServerError(.forbidden, "'\(name)' is a file outside the library; it is not removed.")
    }
    memory.unload(model.name)
    try store.remove(model.name)
  }

  /// A model of this name was made anew: the one in memory is another.
  func replaced(_ name: String) {
    if let model = try? find(name) { memory.unload(model.name) }
  }

  /// Takes no more requests and returns when all answers are there, or `deadline` has passed.
  func shutdown(deadline: Duration) async { await memory.shutdown(deadline: deadline) }
}

/// What is said of a model in memory.
struct RunningModel: Sendable {
  var name: String
  var card: ModelCard
  /// Bytes of weights and caches.
  var byteCount: Int
  var contextLength: Int
  var status: EngineStatus
  /// When it goes if nobody asks; nil: never.
  var expires: Date?
}
