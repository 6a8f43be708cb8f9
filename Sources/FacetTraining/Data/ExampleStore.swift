// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// All examples of a dataset in little memory: four bytes a token, the flag in the sign.
///
/// Rows are read and tokenized once, in one pass, rather than found again in the file by offset: every
/// epoch then costs nothing but a copy, packed files need no seeking, and the tokens take about as much room as
/// their text. They lie in blocks, so that growing never copies what is there.
struct ExampleStore: Sendable {
  /// Where an example lies and where it comes from.
  private struct Row: Sendable {
    var block: UInt32
    var start: UInt32
    var count: UInt32
    var source: UInt32
    var line: Int
  }

  private static let blockLength = 1 << 20

  private var blocks: [[Int32]] = []
  private var rows: [Row] = []
  private var sources: [String] = []
  /// Tells one dataset from another.
  private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325

  var count: Int { rows.count }

  func length(_ index: Int) -> Int { Int(rows[index].count) }

  func targetCount(_ index: Int) -> Int { entries(index).count { $0 < 0 } }

  func example(_ index: Int) -> TrainingExample {
    let row = rows[index]
    let entries = entries(index)
    return TrainingExample(
      tokens: entries.map { $0 & .max }, isTarget: entries.map { $0 < 0 }, line: row.line,
      source: sources[Int(row.source)])
  }

  private func entries(_ index: Int) -> ArraySlice<Int32> {
    let row = rows[index]
    return blocks[Int(row.block)][Int(row.start)..<Int(row.start) + Int(row.count)]
  }

  /// Adds an example.
  mutating func append(_ encoded: RowEncoder.Encoded, _ place: RowPlace, hash: UInt64) {
    if sources.last != place.file { sources.append(place.file) }
    if (blocks.last?.count ?? Self.blockLength) >= Self.blockLength {
      blocks.append([])
      blocks[blocks.count - 1].reserveCapacity(Self.blockLength)
    }
    let block = blocks.count - 1
    rows.append(
      Row(
        block: UInt32(block), start: UInt32(blocks[block].count),
        count: UInt32(encoded.tokens.count), source: UInt32(sources.count - 1),
        line: place.number))
    for (token, isTarget) in zip(encoded.tokens, encoded.isTarget) {
      blocks[block].append(isTarget ? token | .min : token)
    }
    fingerprint = Self.mix(fingerprint ^ hash)
  }

  /// A hash of tokens and flags: rows with the same one are taken for the same.
  static func hash(_ encoded: RowEncoder.Encoded) -> UInt64 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for (token, isTarget) in zip(encoded.tokens, encoded.isTarget) {
      state = mix(state ^ (UInt64(UInt32(bitPattern: token)) << 1 | (isTarget ? 1 : 0)))
    }
    return state
  }

  /// SplitMix64's finaliser.
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
