// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A tensor as the directory of a GGUF file states it, checked against the file's size.
struct GGUFTensor: Sendable, Hashable {
  let name: String
  /// Sizes outermost first: the reverse of the file's order.
  let shape: [Int]
  /// The format's id of the number type; not every id is one that Facet reads.
  let typeID: UInt32
  /// The first byte, from the beginning of the file.
  let offset: Int

  /// The names of number types that exist and that Facet does not read, for messages.
  static let foreignTypeNames: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16",
    26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
  ]
}
