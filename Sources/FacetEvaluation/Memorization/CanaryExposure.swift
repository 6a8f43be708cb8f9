// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGeneration
internal import FacetModel
internal import FacetTensor
internal import FacetTokenizer
internal import Foundation

/// How far a model prefers a secret of its tuning data to others of the same form.
///
/// Carlini et al. 2019, with candidates drawn instead of listed.
public struct CanaryExposure: Sendable, Hashable {
  /// The text with the secret, without the marks.
  public let text: String
  /// Its place among the candidates by likelihood, itself counted: 1 is the likeliest.
  public let rank: Int
  /// How many secrets of the form there are to choose from, itself counted.
  public let candidateCount: Int

  /// log₂ of the number of candidates less log₂ of the rank, in bits: 0 is the last, the most is
  /// ``greatest``.
  public var exposure: Double { log2(Double(candidateCount)) - log2(Double(rank)) }

  /// The exposure of rank 1: more than this many candidates cannot show.
  public var greatest: Double { log2(Double(candidateCount)) }

  package init(text: String, rank: Int, candidateCount: Int) {
    self.text = text
    self.rank = rank
    self.candidateCount = candidateCount
  }
}

/// A text with a secret in square brackets, and others of the same form.
package struct Canary: Sendable {
  private enum Piece {
    case same(Character)
    case digit, lower, upper
  }

  /// The text without the brackets.
  package let text: String
  private let pieces: [Piece]

  /// Reads `My code is [4821-AX]`: digits stand for digits and letters for letters of their case.
  package init(_ marked: String) throws(EvaluationError) {
    var pieces: [Piece] = []
    var text = ""
    var isInside = false
    for character in marked {
      if character == (isInside ? "]" : "[") {
        isInside.toggle()
        continue
      }
      text.append(character)
      pieces.append(isInside ? Self.piece(character) : .same(character))
    }
    let isVaried = pieces.contains { if case .same = $0 { false } else { true } }
    guard !isInside, isVaried else {
      throw EvaluationError(
        .invalidSetting,
        "The canary '\(marked)' has no secret: put it into square brackets, as in "
          + "'The code is [4821]'; digits and letters in them are what varies.")
    }
    self.text = text
    self.pieces = pieces
  }

  private static func piece(_ character: Character) -> Piece {
    switch character {
    case "0"..."9": .digit
    case "a"..."z": .lower
    case "A"..."Z": .upper
    default: .same(character)
    }
  }

  /// log₂ of how many texts have this form.
  package var bits: Double {
    pieces.reduce(0) { sum, piece in
      switch piece {
      case .same: sum
      case .digit: sum + log2(10)
      case .lower, .upper: sum + log2(26)
      }
    }
  }

  /// `count` other texts of the form, none twice; fewer where the form has fewer.
  package func candidates(_ count: Int, seed: UInt64) -> [String] {
    // The form may have no more than that.
    let most = bits < 40 ? min(count, Int(exp2(bits).rounded()) - 1) : count
    var random = RandomGenerator(seed: seed)
    func draw(_ alphabet: String) -> Character {
      let letters = Array(alphabet)
      return letters[Int(random.next().multipliedFullWidth(by: UInt64(letters.count)).high)]
    }
    var seen: Set<String> = [text]
    var result: [String] = []
    while result.count < most {
      let candidate = String(
        pieces.map { piece in
          switch piece {
          case .same(let character): character
          case .digit: draw("0123456789")
          case .lower: draw("abcdefghijklmnopqrstuvwxyz")
          case .upper: draw("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
          }
        })
      if seen.insert(candidate).inserted { result.append(candidate) }
    }
    return result
  }
}

extension LanguageModel {
  /// The exposure of a canary: a text with its secret in square brackets.
  ///
  /// Its likelihood is held against `count` random candidates of the same form. Candidates as likely as
  /// the canary count as likelier, so that a tie does not look like knowledge.
  public func exposure(
    ofCanary marked: String, candidates count: Int = 1000, seed: UInt64 = 0,
    progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> CanaryExposure {
    let canary = try Canary(marked)
    let candidates = canary.candidates(count, seed: seed)
    let own = try logLikelihood(canary.text)
    var rank = 1
    for (index, candidate) in candidates.enumerated() {
      try progress(index, candidates.count)
      if try logLikelihood(candidate) >= own { rank += 1 }
    }
    try progress(candidates.count, candidates.count)
    return CanaryExposure(text: canary.text, rank: rank, candidateCount: candidates.count + 1)
  }

  /// ln of the probability of the whole text.
  package func logLikelihood(_ text: String) throws -> Double {
    let tokens = tokenizer.encode(text, bos: true)
    guard tokens.count > 1 else { return 0 }
    var session = try Session(self, context: tokens.count)
    var sum = 0.0
    var start = 0
    while start < tokens.count - 1 {
      let end = min(tokens.count - 1, start + Session.chunk)
      let logits = try session.forward(Array(tokens[start..<end]), logits: .all)
      sum += Self.sum(logits, targets: tokens[start + 1...end])
      start = end
    }
    return sum
  }

  /// Σ ln p(target) over the rows.
  private static func sum(_ logits: Tensor, targets: ArraySlice<Int32>) -> Double {
    logits.withFloats { values in
      let width = values.count / max(1, targets.count)
      return targets.enumerated().reduce(0.0) { sum, entry in
        let row = values.extracting(entry.offset * width..<(entry.offset + 1) * width)
        return sum + Double(row[Int(entry.element)]) - row.logSumExp()
      }
    }
  }
}
