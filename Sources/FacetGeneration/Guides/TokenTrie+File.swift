// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetCheckpoint
package import FacetGuides
import FacetTensor
package import FacetTokenizer
import Foundation

// A trie in a file: five 64-bit words (what it is, its vocabulary, nodes, tokens), the arrays in the order
// of their declaration, each filled up to whole words, a checksum; all numbers little-endian.
extension TokenTrie {
  private static let magic: UInt64 = 0x0a31_5445_4952_5446  // "FTRIET1\n"
  private static let headerByteCount = 32

  /// The trie of a vocabulary, from the file in `folder` where there is one; otherwise it is made, and a file of
  /// it for the next process.
  ///
  /// All models with the same vocabulary share a file. One that cannot be written or read is no loss.
  package static func cached(
    _ tokenizer: Tokenizer, count: Int, marks: [TokenID: GuideMark] = [:], in folder: String?
  ) -> TokenTrie {
    guard let folder, count >= Self.leastCached else {
      return TokenTrie(tokenizer, count: count, marks: marks)
    }
    var sum = Checksum()
    sum.add(values: [tokenizer.spellingFingerprint, UInt64(count)])
    for mark in marks.sorted(by: { $0.key < $1.key }) {
      sum.add(values: [UInt64(mark.key), UInt64(mark.value.rawValue)])
    }
    let path = "\(folder)/trie-\(String(sum.value, radix: 16))"
    if let known = TokenTrie(path: path, fingerprint: sum.value, count: count) { return known }
    let made = TokenTrie(tokenizer, count: count, marks: marks)
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try? made.save(to: path, fingerprint: sum.value)
    return made
  }

  /// Tokens below which a trie is made faster than it is read.
  private static let leastCached = 16_384

  /// Writes the trie to `path` as that of the vocabulary with `fingerprint`.
  package func save(to path: String, fingerprint: UInt64) throws(CheckpointError) {
    var writer = try FileWriter(path)
    var sum = Checksum()
    try Self.write(
      [Self.magic, fingerprint, UInt64(nodeCount), UInt64(tokens.count)], &writer, &sum)
    try Self.write(bytes, &writer, &sum)
    try Self.write(depths, &writer, &sum)
    try Self.write(ends, &writer, &sum)
    try Self.write(tokenStarts, &writer, &sum)
    try Self.write(tokens, &writer, &sum)
    try writer.write(values: [sum.value])
    try writer.finish()
  }

  /// Writes `values`, filled up to whole words, and adds them to `sum`.
  private static func write<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: [T], _ writer: inout FileWriter, _ sum: inout Checksum
  ) throws(CheckpointError) {
    sum.add(values: values)
    try writer.write(values: values)
    let rest = values.count * MemoryLayout<T>.stride % 8
    if rest > 0 { try writer.write([UInt8](repeating: 0, count: 8 - rest)) }
  }

  /// The trie that was written to `path` for the vocabulary with `fingerprint`, of `count` tokens; nil where
  /// there is none, or what is there is anything else.
  package init?(path: String, fingerprint: UInt64, count: Int) {
    guard let storage = try? TensorStorage.map(path: path) else { return nil }
    let all = storage.bytes
    guard all.byteCount >= Self.headerByteCount else { return nil }
    let header = all.values(UInt64.self, at: 0, count: 4)
    // Beyond these no vocabulary goes, and their bytes can be added up.
    guard header[0] == Self.magic, header[1] == fingerprint, header[2] < 1 << 31,
      header[3] < 1 << 31
    else { return nil }
    let (nodes, tokenCount) = (Int(header[2]), Int(header[3]))
    func padded(_ byteCount: Int) -> Int { (byteCount + 7) / 8 * 8 }
    let sizes = [nodes, nodes * 2, nodes * 4, nodes * 4 + 4, tokenCount * 4].map(padded)
    guard all.byteCount == Self.headerByteCount + sizes.reduce(0, +) + 8 else { return nil }
    var sum = Checksum()
    sum.add(values: header)
    var start = Self.headerByteCount
    func next<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, _ count: Int) -> [T] {
      let values = all.values(type, at: start, count: count)
      start += padded(count * MemoryLayout<T>.stride)
      sum.add(values: values)
      return values
    }
    self.init(
      bytes: next(UInt8.self, nodes), depths: next(UInt16.self, nodes),
      ends: next(Int32.self, nodes), tokenStarts: next(Int32.self, nodes + 1),
      tokens: next(TokenID.self, tokenCount))
    guard all.values(UInt64.self, at: start, count: 1) == [sum.value], isSound(count) else {
      return nil
    }
  }

  /// Whether the arrays are those of a trie: whoever writes a file can write a checksum.
  private func isSound(_ count: Int) -> Bool {
    var depth: UInt16 = 0
    var last: Int32 = 0
    for node in bytes.indices {
      guard depths[node] >= 1, depths[node] <= depth + 1, depths[node] <= Self.mostBytes,
        ends[node] > node, Int(ends[node]) <= nodeCount, tokenStarts[node] >= last
      else { return false }
      depth = depths[node]
      last = tokenStarts[node]
    }
    return tokenStarts[nodeCount] >= last && Int(tokenStarts[nodeCount]) == tokens.count
      && tokens.allSatisfy { $0 >= 0 && Int($0) < count }
  }
}

extension GuideVocabulary {
  /// Looks at the first `count` tokens of `tokenizer`; the trie is taken from `folder`, or left there for the next
  /// process.
  package init(_ tokenizer: Tokenizer, count: Int, cachedIn folder: String?) {
    self.init(tokenizer, count: count) { marks in
      TokenTrie.cached(tokenizer, count: count, marks: marks, in: folder)
    }
  }
}
