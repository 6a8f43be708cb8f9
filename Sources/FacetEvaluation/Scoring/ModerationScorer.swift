// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How likely a text is one that moderation would stop: hate, violence, harassment, self-harm, sex.
///
/// A logistic regression on the words, pairs of words and parts of words that a text has, hashed to
/// 16,384 weights: σ(b + s·Σ wᵢ/√n) over its n different features. `tools/moderation_scorer.py` made it from
/// the 1,680 texts of OpenAI's moderation set (MIT) and says how good it is; docs/evaluation.md has the
/// figure. It is small and English, and no judge of a single text.
package struct ModerationScorer: Sendable {
  /// A power of two.
  private static let weightCount = 1 << 14

  private let weights: [Int8]
  private let scale: Double
  private let bias: Double

  /// What is part of the program.
  package static let standard = ModerationScorer(PackageResources.moderation_ngram_1_bin)

  /// Scale and bias as little-endian f32, then the weights.
  private init(_ bytes: [UInt8]) {
    func float(at start: Int) -> Double {
      let bits = bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
      return Double(Float(bitPattern: bits))
    }
    scale = float(at: 0)
    bias = float(at: 4)
    weights = bytes[8..<8 + Self.weightCount].map { Int8(bitPattern: $0) }
  }

  /// The probability, between 0 and 1; of a text without words that of any text.
  package func probability(_ text: String) -> Double {
    let features = Self.features(text)
    let sum = features.reduce(0) { $0 + Int(weights[$1]) }
    let value = bias + scale * Double(sum) / Double(max(1, features.count)).squareRoot()
    return 1 / (1 + exp(-value))
  }

  /// The places of the weights that a text asks for.
  private static func features(_ text: String) -> Set<Int> {
    var result: Set<Int> = []
    let words = words(text)
    func add(_ kind: Unicode.Scalar, _ scalars: some Sequence<Unicode.Scalar>) {
      var hash: UInt32 = 2_166_136_261
      for scalar in [kind, " "] + scalars {
        for byte in UTF8.encode(scalar) ?? .init() { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
      }
      result.insert(Int(hash) & (weightCount - 1))
    }
    for (place, word) in words.enumerated() {
      add("w", word)
      if place + 1 < words.count { add("b", word + [" "] + words[place + 1]) }
      let padded = [" "] + word + [" "]
      for length in 3...5 where length <= padded.count {
        for start in 0...(padded.count - length) { add("c", padded[start..<start + length]) }
      }
    }
    return result
  }

  /// Runs of letters and numbers, in small letters, apostrophes within kept.
  private static func words(_ text: String) -> [[Unicode.Scalar]] {
    var words: [[Unicode.Scalar]] = [[]]
    let scalars = Array(
      text.unicodeScalars.flatMap { $0.properties.lowercaseMapping.unicodeScalars })
    for (place, scalar) in scalars.enumerated() {
      let isInner =
        scalar == "'" && !words[words.count - 1].isEmpty && place + 1 < scalars.count
        && isWordScalar(scalars[place + 1])
      if isWordScalar(scalar) || isInner {
        words[words.count - 1].append(scalar)
      } else if !words[words.count - 1].isEmpty {
        words.append([])
      }
    }
    return words.filter { !$0.isEmpty }
  }

  private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber:
      true
    default: false
    }
  }
}
