// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Many byte strings in one buffer: a vocabulary of 262,144 pieces is two arrays, not 262,144
/// objects, so that it is read in milliseconds.
public struct PackedStrings: Sendable, Hashable {
  /// All strings, one after the other.
  public private(set) var bytes: [UInt8]
  /// Where each string begins in `bytes`, and at the end where the last one ends.
  public private(set) var offsets: [UInt32]

  /// Holds no strings yet; `append` adds them.
  public init() {
    bytes = []
    offsets = [0]
  }

  /// Takes strings that a reader has already packed: `count + 1` offsets, from 0 to `bytes.count`,
  /// none smaller than the one before it.
  public init(bytes: [UInt8], offsets: [UInt32]) throws(TokenizerError) {
    var ordered = offsets.first == 0 && offsets.last.map(Int.init) == bytes.count
    for index in offsets.indices.dropFirst() where offsets[index] < offsets[index - 1] {
      ordered = false
    }
    guard ordered else {
      throw TokenizerError(
        .malformed,
        "The offsets of the vocabulary's strings do not cover their \(bytes.count) bytes in order; "
          + "the file is damaged. Download it again.")
    }
    self.bytes = bytes
    self.offsets = offsets
  }

  /// How many strings there are.
  public var count: Int { offsets.count - 1 }

  /// Where the bytes of string `index` lie in `bytes`.
  public func range(_ index: Int) -> Range<Int> { Int(offsets[index])..<Int(offsets[index + 1]) }

  /// The bytes of string `index`.
  public subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

  /// Adds a string at the end; all strings together are less than 4 GiB.
  public mutating func append(_ string: some Sequence<UInt8>) {
    bytes.append(contentsOf: string)
    endString()
  }

  /// Ends a string whose bytes were added with `appendByte`.
  mutating func endString() { offsets.append(UInt32(bytes.count)) }

  /// Adds a byte to the string that `endString` will end.
  mutating func appendByte(_ byte: UInt8) { bytes.append(byte) }

  /// Adds bytes to the string that `endString` will end.
  mutating func appendBytes(_ run: ArraySlice<UInt8>) { bytes.append(contentsOf: run) }
}
