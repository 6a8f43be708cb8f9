// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetCheckpoint
import FacetGeneration
public import FacetStore
import FacetTensor
import FacetTokenizer
import Foundation
package import Hummingbird
public import Logging
import Synchronization

/// A server for the clients of Ollama's, OpenAI's, Google's, Anthropic's and KServe's APIs, with a page to
/// chat on.
///
/// It holds models of a library and answers requests of all these APIs at each place where it listens;
/// see docs/serving.md.
public final class Server: Sendable {
  /// How it is set up.
  public let settings: ServerSettings
  let models: ModelHost
  let metrics = ServerMetrics()
  let logger: Logger
  /// When it was made.
  let start = Date()
  private let state = Mutex(State.loading)
  private let embedding = Gate()

  private enum State { case loading, ready, stopping }

  /// A server of the models of `store`, or why the settings cannot work.
  public init(
    _ settings: ServerSettings, store: ModelStore = ModelStore(),
    logger: Logger = Logger(label: "facet")
  ) throws {
    try settings.validate()
    self.settings = settings
    self.logger = logger
    models = try ModelHost(store, settings)
  }

  /// Names the version of what answers.
  var fingerprint: String { "facet-" + Version.current }

  /// Whether requests are answered.
  var isReady: Bool { state.withLock { $0 == .ready } }
  /// Whether it has been told to stop.
  var isStopping: Bool { state.withLock { $0 == .stopping } }

  /// Loads the models of the settings; then the server is ready.
  package func loadModels() async throws {
    for name in models.wanted { _ = try await models.model(name, keepAlive: nil) }
    state.withLock { if $0 == .loading { $0 = .ready } }
  }

  /// The server is told to stop: running answers go on until the deadline.
  func beginStopping() { state.withLock { $0 = .stopping } }

  /// Refuses changes of the library where the settings do.
  func allowChanges() throws(ServerError) {
    guard !settings.isReadOnly else {
      throw ServerError(.forbidden, "This server is read-only; its models cannot be changed.")
    }
  }

  /// The vectors of texts, one request at a time: each uses all threads.
  func embed(
    _ inputs: [TextInput], _ model: ServedModel, dimensions: Int?, truncates: Bool,
    watch: ClientWatch?
  ) async throws -> [Embedding] {
    guard inputs.count <= 2048 else {
      throw ServerError(
        .tooLarge, "There are \(inputs.count) texts; at most 2048 are taken at once.")
    }
    var texts: [[TokenID]] = []
    for input in inputs { texts.append(try input.tokens(model.tokenizer).tokens) }
    let options = EmbeddingOptions(
      dimensions: dimensions, overlong: truncates ? .truncate : .refuse)
    let language = model.language
    return try await watch.whileConnected { [embedding, texts] in
      try await embedding.pass {
        try await Task(executorPreference: OwnThread()) {
          try language.embed(tokens: texts, options: options)
        }.value
      }
    }
  }

  /// The server as an application of Hummingbird, for tests that ask it without a network.
  package func application() -> some ApplicationProtocol { Application(responder: responder()) }

  // MARK: Routes

  /// What the server answers to.
  var routes: [Route] { ServerRoutes(server: self).all }

  /// The methods of the routes at `path`.
  func methods(at path: String) -> [String] {
    let methods = routes.filter { $0.matches(path) }.map(\.method.rawValue)
    return Array(Set(methods)).sorted()
  }

  /// What answers requests.
  func responder() -> RouterResponder<ServerContext> {
    let router = Router(context: ServerContext.self, options: [.autoGenerateHeadEndpoints])
    router.add(middleware: FrontDoor(server: self))
    for route in routes {
      router.on(RouterPath(route.path), method: route.method, use: route.handler)
    }
    return router.buildResponder()
  }
}

/// Lets one in at a time, in the order in which they come.
actor Gate {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func pass<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    if isTaken {
      await withCheckedContinuation { waiting.append($0) }
    } else {
      isTaken = true
    }
    defer { leave() }
    try Task.checkCancellation()
    return try await body()
  }

  private func leave() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}
