// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTokenizer

// A session in a file: a header of 64-bit words, the tokens, the cache's blocks, a checksum; all numbers
// little-endian.
extension Session {
  /// Writes the tokens and their cache to a file, which ``restore(from:)`` reads.
  ///
  /// An earlier file at `path` stays whole until the new one is.
  public borrowing func save(to path: String) throws {
    let form = cache.form
    let header = SnapshotHeader(
      identity: identity, keys: form.keys.rawValue, values: form.values.rawValue,
      layers: form.layers, ring: form.ring, position: cache.position,
      written: cache.writtenPositions)
    var writer = try FileWriter(path)
    var sum = Checksum()
    let beginning = header.bytes + SnapshotHeader.bytes(of: tokens)
    try writer.write(beginning)
    sum.add(beginning)
    try cache.forEachPart { part in
      sum.add(part)
      try writer.write(part)
    }
    try writer.write(SnapshotHeader.bytes(of: sum.value))
    try writer.finish()
  }

  /// Becomes the session that ``save(to:)`` wrote: the next prompt that begins like its tokens is read
  /// from there on.
  ///
  /// The model, the types of the cache and, where layers have windows, the context must be those that
  /// the file was written with. When anything is wrong with it, the session stays as it is.
  public mutating func restore(from path: String) throws {
    let storage = try Self.map(path)
    let bytes = storage.bytes
    let size = min(SnapshotHeader.byteCount, bytes.byteCount)
    let header = try SnapshotHeader(bytes.copy(0..<size), path: path)
    try check(header, path)
    let start = SnapshotHeader.byteCount + header.position * MemoryLayout<TokenID>.size
    let parts = cache.partByteCounts(position: header.position, written: header.written)
    let end = start + parts.reduce(0, +)
    guard bytes.byteCount == end + 8 else {
      throw GenerationError(
        .unreadable,
        "The snapshot '\(path)' has \(bytes.byteCount) bytes instead of \(end + 8). Delete it.")
    }
    let restored = SnapshotHeader.tokens(bytes.copy(SnapshotHeader.byteCount..<start))
    let known = SnapshotHeader.words(bytes.copy(end..<end + 8))
    guard known == [Self.sum(of: bytes, [start] + parts)],
      restored.allSatisfy({ $0 >= 0 && Int($0) < model.transformer.weights.embedding.rows })
    else {
      throw GenerationError(.unreadable, "The snapshot '\(path)' is damaged. Delete it.")
    }
    reset()
    cache.read(position: header.position, written: header.written, from: bytes, at: start)
    resume(restored)
  }

  private static func map(_ path: String) throws(GenerationError) -> TensorStorage {
    do { return try TensorStorage.map(path: path) } catch {
      throw GenerationError(
        .unreadable, "The snapshot '\(path)' cannot be read. Check its name, or delete it.")
    }
  }

  private static func sum(of bytes: RawSpan, _ parts: [Int]) -> UInt64 {
    var sum = Checksum()
    var start = 0
    for part in parts {
      sum.add(bytes.extracting(start..<start + part))
      start += part
    }
    return sum.value
  }

  /// Refuses the snapshot of another model, or of a cache of another form.
  private borrowing func check(_ header: SnapshotHeader, _ path: String) throws(GenerationError) {
    let form = cache.form
    guard header.identity == identity, header.layers == form.layers else {
      throw GenerationError(
        .mismatchedModel,
        "The snapshot '\(path)' was made with another model than \(model.card.name)"
          + "\(adapters.isEmpty ? "" : ", or with other adapters"). Use that one, or another file.")
    }
    guard header.keys == form.keys.rawValue, header.values == form.values.rawValue else {
      throw GenerationError(
        .mismatchedModel,
        "The snapshot '\(path)' holds keys and values of another type than this session. Use the "
          + "precision and the type of cache that it was made with, or another file.")
    }
    guard header.ring == form.ring, header.position <= contextLength else {
      throw GenerationError(
        .contextFull,
        "The snapshot '\(path)' holds \(header.position) tokens of a context that does not fit this one "
          + "of \(contextLength). Use the context that it was made with, or another file.")
    }
  }
}
