// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetJSON
import FacetStore
import Foundation
import Hummingbird

/// What changes the library through Ollama's API: pull, create, copy, delete, and files that are sent.
struct OllamaChanges: Sendable {
  let server: Server

  // MARK: Pull

  @Sendable func pull(_ request: Request, _ context: ServerContext) async throws -> Response {
    try server.allowChanges()
    let fields = try await request.fields(server, context)
    let name = try OllamaNames.model(fields)
    guard server.models.store.canPull(name) else {
      throw ServerError(.notFound, "pull model manifest: file does not exist: \(name)")
    }
    return try await progress(fields, context) { report in
      report(.record(["status": "pulling manifest"]))
      try await server.models.store.pull(name) { event in
        if let status = Self.status(of: event) { report(status) }
      }
      report(.record(["status": "success"]))
    }
  }

  private static func status(of event: PullEvent) -> JSON? {
    switch event.phase {
    case .resolving, .finished: nil
    case .waiting: .record(["status": "waiting for another pull of this model"])
    case .licence:
      event.licence.map { .record(["status": .string("licence: \($0.name). \($0.notice)")]) }
    case .downloading:
      .record([
        "status": .string("pulling \(event.file)"), "digest": .string(event.file),
        "total": event.totalByteCount.map { .integer($0) }, "completed": .integer(event.byteCount),
      ])
    case .assembling: .record(["status": "writing files"])
    case .verifying: .record(["status": "verifying sha256 digest"])
    }
  }

  // MARK: Create

  @Sendable func create(_ request: Request, _ context: ServerContext) async throws -> Response {
    try server.allowChanges()
    let fields = try await request.fields(server, context)
    let name = try OllamaNames.model(fields)
    for key in ["adapters", "template", "quantize", "renderer", "parser"] {
      guard let value = fields[key], value != "", value.object?.members.isEmpty != true else {
        continue
      }
      throw ServerError(
        .unsupported,
        "'\(key)' is not supported by create; facet merge and facet quantize change models",
        parameter: key)
    }
    let settings = try Self.settings(fields)
    let licence = try fields.strings("license").map { texts in
      Licence(name: "as its maker states", notice: texts.joined(separator: "\n\n"), url: "")
    }
    let base = try fields.string("from").map(OllamaNames.library)
    let files = try Self.files(fields)
    guard base != nil || !files.isEmpty else {
      throw ServerError(
        .invalidRequest, "neither 'from' or 'files' was specified", parameter: "from")
    }
    return try await progress(fields, context) { report in
      if let base, files.isEmpty {
        guard try server.models.find(base) != nil else { throw ModelHost.unknown(base) }
        report(.record(["status": "using existing layer"]))
        try server.models.store.make(name, from: base, settings: settings)
      } else {
        report(.record(["status": "parsing files"]))
        try server.models.store.make(name, of: files, licence: licence, settings: settings) {
          _ = try ModelCard(Checkpoint.open($0))
        }
      }
      server.models.replaced(name)
      report(.record(["status": "writing manifest"]))
      report(.record(["status": "success"]))
    }
  }

  private static func settings(_ fields: Fields) throws(ServerError) -> ModelSettings? {
    var settings = ModelSettings(system: try fields.string("system"))
    if let parameters = try fields.fields("parameters") {
      var options = GenerationOptions()
      try OllamaOptions.read(parameters.object, into: &options)
      do { try options.validate() } catch { throw ServerError(.invalidRequest, error.message) }
      settings.parameters = JSON.object(parameters.object).text
    }
    for message in try fields.list("messages") ?? [] {
      let role = try message.text("role")
      guard ["system", "user", "assistant"].contains(role) else {
        throw ChatReading.unknownRole(role, message)
      }
      settings.messages.append(
        ModelSettings.Message(role: role, content: try message.text("content")))
    }
    return settings.isEmpty ? nil : settings
  }

  private static func files(_ fields: Fields) throws(ServerError) -> [String: String] {
    var files: [String: String] = [:]
    for member in try fields.fields("files")?.object.members ?? [] {
      guard let digest = member.value.string else {
        throw Fields.wrong("files.\(member.key)", "a digest, sha256:…")
      }
      files[member.key] = try sha256(digest)
    }
    return files
  }

  /// The digits of `sha256:…` or `sha256-…`.
  private static func sha256(_ digest: String) throws(ServerError) -> String {
    for prefix in ["sha256:", "sha256-"] where digest.hasPrefix(prefix) {
      let digits = String(digest.dropFirst(prefix.count))
      if SHA256.isDigest(digits) { return digits }
    }
    throw ServerError(.invalidRequest, "invalid digest format", parameter: "digest")
  }

  // MARK: Copy, delete

  @Sendable func copy(_ request: Request, _ context: ServerContext) async throws -> Response {
    try server.allowChanges()
    let fields = try await request.fields(server, context)
    let source = OllamaNames.library(try fields.text("source"))
    let destination = try fields.text("destination")
    guard try server.models.find(source) != nil else {
      throw ServerError(.notFound, "model \"\(source)\" not found")
    }
    try server.models.store.copy(source, to: destination)
    return Response(status: .ok)
  }

  @Sendable func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
    try server.allowChanges()
    let name = try OllamaNames.model(try await request.fields(server, context))
    guard try server.models.find(name) != nil else { throw ModelHost.unknown(name) }
    try server.models.remove(name)
    return Response(status: .ok)
  }

  @Sendable func push(_ request: Request, _ context: ServerContext) async throws -> Response {
    throw ServerError(.unsupported, "models cannot be pushed: there is no registry to push to")
  }

  // MARK: Files

  @Sendable func hasBlob(_ request: Request, _ context: ServerContext) throws -> Response {
    let digest = try context.parameters.require("digest")
    return Response(status: server.models.store.holds(try Self.sha256(digest)) ? .ok : .notFound)
  }

  @Sendable func takeBlob(_ request: Request, _ context: ServerContext) async throws -> Response {
    try server.allowChanges()
    let sha256 = try Self.sha256(try context.parameters.require("digest"))
    if server.models.store.holds(sha256) {
      for try await _ in request.body {}
      return Response(status: .ok)
    }
    let file = try server.models.store.receive(sha256)
    do {
      for try await part in request.body { try file.append(Data(part.readableBytesView)) }
    } catch let error as StoreError {
      file.discard()
      throw error
    } catch {
      file.discard()
      throw ServerError(.clientGone, "The client went away.")
    }
    do {
      try file.finish()
    } catch {
      guard error.code == .corrupt else { throw error }
      throw ServerError(.invalidRequest, error.message, parameter: "digest")
    }
    return Response(status: .created)
  }

  // MARK: Progress

  /// A long change as a stream of what it is doing, or only its end where the client wants no stream.
  private func progress(
    _ fields: Fields, _ context: ServerContext,
    _ work: @escaping @Sendable (@escaping @Sendable (JSON) -> Void) async throws -> Void
  ) async throws -> Response {
    let watch = await context.clientWatch()
    guard try fields.bool("stream") ?? true else {
      try await watch.whileConnected { try await work { _ in } }
      return .json(.record(["status": "success"]))
    }
    let (steps, feed) = AsyncThrowingStream.makeStream(of: JSON.self)
    let task = Task {
      do {
        try await work { feed.yield($0) }
        feed.finish()
      } catch {
        feed.finish(throwing: error)
      }
    }
    let key = watch?.whenGone { task.cancel() } ?? nil
    feed.onTermination = { _ in
      task.cancel()
      watch?.forget(key)
    }
    return .stream(.lines, refusal: OllamaShapes.frame) { writer in
      for try await step in steps { try await writer.send(step) }
    }
  }
}
