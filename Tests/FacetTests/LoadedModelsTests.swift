// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Synchronization
import Testing

/// Models in memory, within a budget.
@Suite("Loaded models")
struct LoadedModelsTests {
  /// Small models under any name, each said to take 100 bytes; counts how often it loads.
  final class Shelf: Sendable {
    let loads = Mutex<[String]>([])

    func models(
      limit: Int, keepAlive: LoadedModels.KeepAlive = .forever, delay: Duration = .zero
    ) -> LoadedModels {
      LoadedModels(
        options: LoadedModels.Options(memoryLimit: limit, keepAlive: keepAlive),
        loader: LoadedModels.Loader { name in
          if name.hasPrefix("missing") {
            throw StoreError(.notFound, "There is no '\(name)'.")
          }
          return 400_000_000
        } load: { [self] name in
          loads.withLock { $0.append(name) }
          Thread.sleep(forTimeInterval: delay / .seconds(1))
          if name.hasPrefix("broken") { throw StoreError(.corrupt, "'\(name)' is broken.") }
          return try Engine(
            LanguageModel.load(path: ModelTests.path, options: .init(threads: 1)),
            options: Engine.Options(context: 64))
        })
    }

    var count: Int { loads.withLock { $0.count } }
  }

  @Test("those who ask at once wait for one load")
  func onceOnly() async throws {
    let shelf = Shelf()
    let models = shelf.models(limit: .max, delay: .milliseconds(30))
    let leases = try await withThrowingTaskGroup(of: ModelLease.self) { group in
      for _ in 0..<12 { group.addTask { try await models.lease("a") } }
      return try await group.reduce(into: [ModelLease]()) { $0.append($1) }
    }
    #expect(shelf.count == 1)
    #expect(Set(leases.map { ObjectIdentifier($0.engine) }).count == 1)
    #expect(models.list.map(\.leases) == [12])
    #expect(leases.count == 12)
  }

  @Test("a leased engine answers")
  func answers() async throws {
    let models = Shelf().models(limit: .max)
    let lease = try await models.lease("a")
    var count = 0
    let options = GenerationOptions(sampling: .greedy, maxTokens: 5)
    for try await event in try lease.engine.events(
      lease.engine.model.prompt("The rain"), options: options)
    {
      if case .token = event { count += 1 }
    }
    #expect(count > 0)
    #expect(models.list.first?.engine?.status.generatedTokens == count)
  }

  @Test("the least recently used leaves when another needs the room, never one in use")
  func budget() async throws {
    let shelf = Shelf()
    let models = shelf.models(limit: 1_000_000_000)
    var first: ModelLease? = try await models.lease("a")
    _ = try await models.lease("b")
    #expect(models.list.map(\.name) == ["a", "b"])
    // b is the only one that nobody uses, though a was loaded before.
    let third = try await models.lease("c")
    #expect(models.list.map(\.name) == ["a", "c"])
    await #expect(
      throws: GenerationError(
        .outOfMemory,
        "'d' takes 400 MB. The models in use take 800 MB of 1.0 GB; try again when one of them is "
          + "free.")
    ) { try await models.lease("d") }
    #expect(first?.name == "a" && third.name == "c")
    first = nil
    _ = try await models.lease("d")
    #expect(models.list.map(\.name) == ["c", "d"])
    #expect(shelf.loads.withLock { $0 } == ["a", "b", "c", "d"])
  }

  @Test("a model larger than all memory is refused in words")
  func tooLarge() async throws {
    let models = Shelf().models(limit: 100_000_000)
    await #expect(
      throws: GenerationError(
        .outOfMemory,
        "'a' takes 400 MB, and all models together may take 100 MB. Use a smaller model or context, "
          + "or allow more.")
    ) { try await models.lease("a") }
  }

  @Test("a model goes when its time is over, at once, or never")
  func keepAlive() async throws {
    let models = Shelf().models(limit: .max, keepAlive: .time(.milliseconds(60)))
    var brief: ModelLease? = try await models.lease("brief")
    var never: ModelLease? = try await models.lease("never", keepAlive: .never)
    _ = try await models.lease("forever", keepAlive: .forever)
    #expect(models.list.map(\.name) == ["brief", "forever", "never"])
    #expect(models.list.allSatisfy { $0.remaining == nil })
    #expect(brief != nil && never != nil)
    never = nil
    #expect(models.list.map(\.name) == ["brief", "forever"])
    brief = nil
    let remaining = try #require(models.list.first?.remaining)
    #expect(remaining <= .milliseconds(60))
    while models.list.count > 1 { try await Task.sleep(for: .milliseconds(5)) }
    #expect(models.list.map(\.name) == ["forever"])
    #expect(models.unload("forever") && !models.unload("forever"))
    #expect(models.list.isEmpty)
  }

  @Test("using a model again starts its time anew")
  func renewed() async throws {
    let shelf = Shelf()
    let models = shelf.models(limit: .max, keepAlive: .time(.seconds(600)))
    _ = try await models.lease("a")
    try await Task.sleep(for: .milliseconds(30))
    let before = try #require(models.list.first?.remaining)
    #expect(before <= .milliseconds(599_970))
    _ = try await models.lease("a")
    let after = try #require(models.list.first?.remaining)
    #expect(after > before)
    #expect(shelf.count == 1)
  }

  @Test("unloading a model in use waits for the last lease")
  func unloadInUse() async throws {
    let models = Shelf().models(limit: .max)
    var lease: ModelLease? = try await models.lease("a")
    #expect(models.unload("a"))
    #expect(models.list.map(\.leases) == [1])
    #expect(lease?.name == "a")
    lease = nil
    #expect(models.list.isEmpty)
  }

  @Test("a load that fails is told to all who wait, and tried again by the next")
  func failures() async throws {
    let shelf = Shelf()
    let models = shelf.models(limit: .max, delay: .milliseconds(20))
    await #expect(throws: StoreError(.notFound, "There is no 'missing'.")) {
      try await models.lease("missing")
    }
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          await #expect(throws: StoreError(.corrupt, "'broken' is broken.")) {
            try await models.lease("broken")
          }
        }
      }
    }
    let before = shelf.count
    await #expect(throws: StoreError.self) { try await models.lease("broken") }
    #expect(shelf.count == before + 1)
    #expect(models.list.isEmpty)
  }

  @Test("shutting down refuses leases and ends what runs")
  func shutdown() async throws {
    let models = Shelf().models(limit: .max)
    let lease = try await models.lease("a")
    await models.shutdown(deadline: .zero)
    #expect(models.list.isEmpty)
    await #expect(throws: GenerationError.self) { try await models.lease("a") }
    #expect(throws: GenerationError.self) {
      try lease.engine.events(lease.engine.model.prompt("The"))
    }
  }

  @Test("names are those of the library, and paths")
  func library() async throws {
    let models = LoadedModels(store: ModelTests.emptyStore())
    let lease = try await models.lease(ModelTests.path)
    #expect(lease.engine.model.card.path == ModelTests.path)
    let listed = try #require(models.list.first)
    #expect(listed.byteCount > 0 && !listed.isLoading)
    await #expect(throws: StoreError.self) { try await models.lease("gemma3:270m") }
  }
}
