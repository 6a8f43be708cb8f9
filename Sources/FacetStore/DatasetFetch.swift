// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation

/// Brings the splits of a set into a folder, as files of JSON lines.
///
/// What has arrived is kept when a fetch ends early, and the next one goes on behind it; a file appears
/// under its name only when it is whole. `SOURCE.json` says what came from where.
package struct DatasetFetch: Sendable {
  /// A split that is there.
  package struct File: Sendable, Hashable, Codable {
    package var name: String
    package var rows: Int
    package var sha256: String
    /// Whether it was there before, just as it was fetched.
    package var wasThere = false

    private enum CodingKeys: String, CodingKey { case name, rows, sha256 }
  }

  /// What `SOURCE.json` says.
  private struct Source: Codable {
    var dataset: String
    var configuration: String
    var revision: String
    var licence: String
    var files: [File]
  }

  private let client: DatasetClient
  private let folder: String
  private let page: HubPage

  /// Into `folder`, what `page` describes.
  package init(_ client: DatasetClient, _ page: HubPage, into folder: String) {
    self.client = client
    self.page = page
    self.folder = folder
  }

  /// Brings `split`; `progress` is told the rows that are here and those there will be.
  package func fetch(
    _ split: String, progress: (Int, Int) -> Void = { _, _ in }
  ) async throws -> File {
    let path = "\(folder)/\(split).jsonl"
    if DiskFile.exists(path) { return try present(split, path) }
    try DiskFile.makeDirectory(folder)
    // Rows of another revision are never mixed with this one's.
    let partial = "\(path).\(page.commit.prefix(12)).partial"
    let (handle, start) = try Self.open(partial)
    defer { try? handle.close() }
    var (count, total) = (start, Int.max)
    while count < total {
      try Task.checkCancellation()
      let part = try await client.rows(split, from: count)
      guard total == .max || part.total == total, !part.lines.isEmpty || count == part.total else {
        throw StoreError(
          .corrupt,
          "The number of rows of '\(split)' changed while they came. Fetch again; if it stays so, wait a "
            + "while.")
      }
      total = part.total
      count += part.lines.count
      try DiskFile.wrap("write", partial) {
        try handle.write(contentsOf: Data(part.lines.map { $0 + "\n" }.joined().utf8))
      }
      progress(count, total)
    }
    let file = File(
      name: "\(split).jsonl", rows: count, sha256: try DiskFile.sha256(partial))
    try note(file)
    try DiskFile.synchronize(partial)
    try DiskFile.move(partial, to: path)
    return file
  }

  /// The file at `path`, made where there is none, behind its last whole line, and its lines.
  private static func open(_ path: String) throws -> (FileHandle, lines: Int) {
    let data = try DiskFile.read(path) ?? Data()
    let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if data.isEmpty { try DiskFile.replace(path, with: data) }
    return try DiskFile.wrap("write", path) {
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try handle.truncate(atOffset: UInt64(end))
      try handle.seekToEnd()
      return (handle, data[..<end].count { $0 == UInt8(ascii: "\n") })
    }
  }

  /// The split that is there already, which must be what was once fetched.
  private func present(_ split: String, _ path: String) throws -> File {
    guard var file = try source()?.files.first(where: { $0.name == "\(split).jsonl" }) else {
      throw StoreError(
        .invalidName, "'\(path)' is there already, and was not fetched. Move it away first.")
    }
    guard try DiskFile.sha256(path) == file.sha256 else {
      throw StoreError(
        .corrupt,
        "'\(path)' was changed since it was fetched. Remove it to fetch it again, or its line of "
          + "'\(folder)/SOURCE.json' to keep it.")
    }
    file.wasThere = true
    return file
  }

  private var sourcePath: String { folder + "/SOURCE.json" }

  private func source() throws(StoreError) -> Source? {
    guard let data = try DiskFile.read(sourcePath) else { return nil }
    guard let source = try? JSONDecoder().decode(Source.self, from: data) else {
      throw StoreError(.corrupt, "'\(sourcePath)' cannot be read. Move it away, and fetch again.")
    }
    return source
  }

  private func note(_ file: File) throws {
    var source =
      try source()
      ?? Source(
        dataset: client.reference.repository.repositoryID,
        configuration: client.reference.configuration, revision: "", licence: "", files: [])
    source.revision = page.commit
    source.licence = page.terms(page: client.page).name
    source.files.removeAll { $0.name == file.name }
    source.files.append(file)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try DiskFile.replace(sourcePath, with: encoder.encode(source) + Data("\n".utf8))
  }
}
