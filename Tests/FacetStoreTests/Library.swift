// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import FacetTestSupport
import Foundation
import Synchronization
import Testing

/// A library in a directory of its own, which goes away with it.
final class Library: Sendable {
  let home: String
  private let scratch: String
  private let seen = Mutex<[PullEvent]>([])

  init() throws {
    scratch = Scratch.path("store")
    home = scratch + "/home"
    try FileManager.default.createDirectory(
      atPath: scratch, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: scratch) }

  /// A path beside the library.
  func path(_ name: String) -> String { "\(scratch)/\(name)" }

  /// Writes a file beside the library and returns its path.
  func write(_ name: String, _ bytes: [UInt8], executable: Bool = false) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    if executable {
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: path(name))
    }
    return path(name)
  }

  /// The store, asking `hub` with little patience.
  func store(
    _ hub: FakeHub? = nil, token: String? = nil, entries: [CatalogueEntry] = [],
    python: String? = nil, adjust: (inout HubSettings) -> Void = { _ in }
  ) throws -> ModelStore {
    var sources = StoreSources()
    sources.entries = entries
    if let python { sources.python = python }
    if let hub { sources.hub = try Self.settings(hub.address, token: token, adjust: adjust) }
    return ModelStore(home: home, sources: sources)
  }

  static func settings(
    _ address: String, token: String? = nil, adjust: (inout HubSettings) -> Void = { _ in }
  ) throws -> HubSettings {
    var settings = try HubSettings(endpoint: address, token: token)
    settings.patience.firstDelay = .milliseconds(1)
    settings.patience.longestDelay = .milliseconds(10)
    settings.patience.timeout = .seconds(20)
    adjust(&settings)
    return settings
  }

  /// What pulls have reported.
  var events: [PullEvent] { seen.withLock { $0 } }
  func note(_ event: PullEvent) { seen.withLock { $0.append(event) } }

  /// Everything below the home that is a file, by path.
  var files: [String] {
    (FileManager.default.enumerator(atPath: home)?.allObjects as? [String] ?? []).filter { path in
      var isDirectory: ObjCBool = false
      let exists = unsafe FileManager.default.fileExists(
        atPath: "\(home)/\(path)", isDirectory: &isDirectory)
      return exists && !isDirectory.boolValue
    }.sorted()
  }

  /// The bytes that lie in the partial downloads.
  var partialByteCount: Int {
    files.filter { $0.hasPrefix("partial/") && !$0.hasSuffix(".tag") }
      .reduce(0) { $0 + (DiskFile.byteCount("\(home)/\($1)") ?? 0) }
  }
}

/// Bytes that are no repetition of each other.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return UInt8(truncatingIfNeeded: state >> 24)
  }
}

/// The error that `body` throws.
func thrown(_ body: () async throws -> Void) async -> (any Error)? {
  do {
    try await body()
    return nil
  } catch {
    return error
  }
}

/// The message of the error that `body` throws.
func message(_ body: () async throws -> Void) async -> String {
  await thrown(body).map { "\($0)" } ?? "no error"
}
