// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
public import FacetGeneration
import FacetModel
public import FacetStore
import FacetTensor
import Synchronization

/// The models that a program has in memory, each with an engine: loaded when somebody asks for them, gone
/// when nobody has for a while, or when another one needs the room.
///
/// ```swift
/// let models = LoadedModels()
/// let lease = try await models.lease("gemma3:270m")
/// for try await event in try lease.engine.events(lease.engine.model.prompt("The capital of")) { … }
/// ```
///
/// Those who ask for a model at the same time wait for one load.
public final class LoadedModels: Sendable {
  /// How long a model stays that nobody uses.
  public enum KeepAlive: Sendable, Hashable {
    /// It goes when the last lease does.
    case never
    /// It goes when this much time has passed since the last lease went.
    case time(Duration)
    /// It goes only when another model needs the room.
    case forever
  }

  /// How models are loaded and kept.
  public struct Options: Sendable, Hashable {
    /// Bytes that all models and their caches may take; nil: four fifths of the memory of this process.
    public var memoryLimit: Int?
    /// How long a model stays, where a lease does not say.
    public var keepAlive: KeepAlive
    /// How models are loaded.
    public var load: LanguageModel.LoadOptions
    /// The engine of each.
    public var engine: Engine.Options

    /// Five minutes, the usual engine, unless said otherwise.
    public init(
      memoryLimit: Int? = nil, keepAlive: KeepAlive = .time(.seconds(300)),
      load: LanguageModel.LoadOptions = LanguageModel.LoadOptions(),
      engine: Engine.Options = Engine.Options()
    ) {
      self.memoryLimit = memoryLimit
      self.keepAlive = keepAlive
      self.load = load
      self.engine = engine
    }
  }

  /// Finds a model, says what it takes, and loads it.
  package struct Loader: Sendable {
    package var byteCount: @Sendable (String) throws -> Int
    package var load: @Sendable (String) throws -> Engine

    package init(
      byteCount: @escaping @Sendable (String) throws -> Int,
      load: @escaping @Sendable (String) throws -> Engine
    ) {
      self.byteCount = byteCount
      self.load = load
    }
  }

  /// One model's place.
  private struct Entry {
    var loading: Task<Engine, any Error>
    var engine: Engine?
    /// Tells this load from others of the same name.
    var generation: Int
    /// Bytes set aside while it loads.
    var plannedByteCount: Int
    var keepAlive: KeepAlive
    /// Leases, and those who wait for one.
    var users = 0
    var lastUse = ContinuousClock.now

    var byteCount: Int { max(plannedByteCount, engine?.byteCount ?? 0) }

    /// How long it stays if nobody comes; nil while somebody uses it, or for ever.
    var remaining: Duration? {
      guard users == 0, case .time(let time) = keepAlive else { return nil }
      return time - (ContinuousClock.now - lastUse)
    }
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var generations = 0
    var isClosed = false
  }

  private let options: Options
  private let loader: Loader
  private let state = Mutex(State())

  /// No model yet; names are looked up in `store`, which must hold them already.
  public convenience init(store: ModelStore = ModelStore(), options: Options = Options()) {
    let (load, engine) = (options.load.cached(in: store), options.engine)
    let loader = Loader { name in
      let path = try store.locate(name)
      let checkpoint = try Checkpoint.open(path)
      let context = min(
        engine.context ?? Session.defaultContext,
        try ModelConfiguration(checkpoint.architecture).contextLength)
      return try MemoryPlan(checkpoint, context: context, options: load).total
    } load: { name in
      try Engine(
        LanguageModel.load(path: store.locate(name), options: load), options: engine)
    }
    self.init(options: options, loader: loader)
  }

  package init(options: Options, loader: Loader) {
    self.options = options
    self.loader = loader
  }

  /// The engine of the model called `name`, for as long as the lease is held; loads it if need be.
  ///
  /// `keepAlive` counts from the moment when the last lease goes. Throws what loading throws, and
  /// ``GenerationError/Code/outOfMemory`` when the models in use leave no room.
  public func lease(_ name: String, keepAlive: KeepAlive? = nil) async throws -> ModelLease {
    let (loading, generation) = try join(name, keepAlive ?? options.keepAlive)
    do {
      let engine = try await loading.value
      return ModelLease(name: name, engine: engine) { [self] in leave(name, generation) }
    } catch {
      leave(name, generation)
      throw error
    }
  }

  /// Lets the model called `name` go when the last lease does; false when it is not loaded.
  @discardableResult
  public func unload(_ name: String) -> Bool {
    state.withLock { state in
      guard let entry = state.entries[name] else { return false }
      state.entries[name]?.keepAlive = .never
      if entry.users == 0 { state.entries[name] = nil }
      return true
    }
  }

  /// The models in memory, and those that are being loaded, by name.
  public var list: [LoadedModel] {
    let entries = state.withLock(\.entries)
    return entries.sorted { $0.key < $1.key }.map { name, entry in
      LoadedModel(
        name: name, byteCount: entry.byteCount, leases: entry.users,
        isLoading: entry.engine == nil, remaining: entry.remaining, engine: entry.engine)
    }
  }

  /// Refuses new leases, and shuts every engine down; see ``Engine/shutdown(deadline:)``.
  public func shutdown(deadline: Duration) async {
    let engines = state.withLock { state in
      state.isClosed = true
      defer { state.entries = [:] }
      return state.entries.values.compactMap(\.engine)
    }
    await withTaskGroup(of: Void.self) { group in
      for engine in engines { group.addTask { await engine.shutdown(deadline: deadline) } }
    }
  }
}

// MARK: - Coming and going

extension LoadedModels {
  /// Counts one more user of `name`, and begins to load it if nobody has.
  private func join(
    _ name: String, _ keepAlive: KeepAlive
  ) throws -> (Task<Engine, any Error>, Int) {
    let known = state.withLock { state -> (Task<Engine, any Error>, Int)? in
      guard !state.isClosed, let entry = state.entries[name] else { return nil }
      state.entries[name]?.users += 1
      state.entries[name]?.keepAlive = keepAlive
      return (entry.loading, entry.generation)
    }
    if let known { return known }
    // Reads the file's header: not under the lock.
    let needed = try loader.byteCount(name)
    return try state.withLock { state in
      if state.isClosed {
        throw GenerationError(
          .shutDown, "The models are being shut down: '\(name)' is not loaded any more.")
      }
      if state.entries[name] == nil {
        try makeRoom(for: needed, name, &state)
        state.generations += 1
        state.entries[name] = begin(name, needed, keepAlive, state.generations)
      }
      guard let entry = state.entries[name] else { preconditionFailure("no entry of \(name)") }
      state.entries[name]?.users += 1
      state.entries[name]?.keepAlive = keepAlive
      return (entry.loading, entry.generation)
    }
  }

  private func begin(
    _ name: String, _ byteCount: Int, _ keepAlive: KeepAlive, _ generation: Int
  ) -> Entry {
    let loading = Task(executorPreference: OwnThread()) { [self] in
      do {
        let engine = try loader.load(name)
        state.withLock { state in
          if state.entries[name]?.generation == generation {
            state.entries[name]?.engine = engine
          }
        }
        return engine
      } catch {
        // Whoever comes next tries again.
        state.withLock { state in
          if state.entries[name]?.generation == generation { state.entries[name] = nil }
        }
        throw error
      }
    }
    return Entry(
      loading: loading, generation: generation, plannedByteCount: byteCount,
      keepAlive: keepAlive)
  }

  /// Lets models go that nobody uses, the least recently used first, until `needed` bytes are free.
  private func makeRoom(
    for needed: Int, _ name: String, _ state: inout State
  ) throws(GenerationError) {
    guard let limit = options.memoryLimit ?? MachineMemory.current().map({ $0.limit / 5 * 4 })
    else { return }
    while true {
      let used = state.entries.values.reduce(0) { $0 + $1.byteCount }
      if used + needed <= limit { return }
      let leaving = state.entries.filter { $0.value.users == 0 }
        .min { $0.value.lastUse < $1.value.lastUse }
      guard let leaving else {
        throw GenerationError(
          .outOfMemory,
          used == 0
            ? "'\(name)' takes \(ByteText(needed)), and all models together may take "
              + "\(ByteText(limit)). Use a smaller model or context, or allow more."
            : "'\(name)' takes \(ByteText(needed)). The models in use take \(ByteText(used)) of "
              + "\(ByteText(limit)); try again when one of them is free.")
      }
      state.entries[leaving.key] = nil
    }
  }

  /// Counts one user less; the last one starts the clock.
  private func leave(_ name: String, _ generation: Int) {
    let keepAlive = state.withLock { state -> KeepAlive? in
      guard let entry = state.entries[name], entry.generation == generation else { return nil }
      state.entries[name]?.users -= 1
      state.entries[name]?.lastUse = .now
      guard entry.users == 1 else { return nil }
      if entry.keepAlive == .never { state.entries[name] = nil }
      return entry.keepAlive
    }
    guard case .time(let time) = keepAlive else { return }
    Task { [weak self] in
      try await Task.sleep(for: time)
      self?.expire(name, generation)
    }
  }

  /// Lets a model go whose time is over.
  private func expire(_ name: String, _ generation: Int) {
    state.withLock { state in
      guard let entry = state.entries[name], entry.generation == generation,
        let remaining = entry.remaining, remaining <= .zero
      else { return }
      state.entries[name] = nil
    }
  }
}

/// The right to use a model; it stays in memory while anybody has one.
public final class ModelLease: Sendable {
  /// The name that it was asked for by.
  public let name: String
  /// The model's engine.
  public let engine: Engine
  private let end: @Sendable () -> Void

  init(name: String, engine: Engine, end: @escaping @Sendable () -> Void) {
    self.name = name
    self.engine = engine
    self.end = end
  }

  deinit { end() }
}

/// A model in memory.
public struct LoadedModel: Sendable {
  /// The name that it was asked for by.
  public var name: String
  /// Bytes that it takes: weights and caches, and more while it loads.
  public var byteCount: Int
  /// Those who use it now.
  public var leases: Int
  /// Whether it is still on its way.
  public var isLoading: Bool
  /// How long it stays if nobody comes; nil while it is in use, and when it stays for ever.
  public var remaining: Duration?
  /// Its engine, once it is loaded.
  public var engine: Engine?
}
