// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation
import Testing

@Suite("Answers of MATH and AGIEval against lm-eval 0.4.13 (sympy)")
struct MathematicsTests {
  /// What tools/evaluation_answer_goldens.py wrote.
  private static let golden: JSON = {
    let path = Goldens.path("evaluation/mathematics.json")
    let bytes = (try? Data(contentsOf: URL(fileURLWithPath: path))).map { [UInt8]($0) } ?? []
    return (try? JSONReader.read(bytes, path: path)) ?? .null
  }()

  private static func rows(_ key: String) -> [[JSON]] {
    (golden[key]?.array ?? []).compactMap(\.array)
  }

  @Test("an answer of MATH takes on the form that it has there")
  func forms() throws {
    let rows = Self.rows("normalized")
    #expect(rows.count > 500)
    for row in rows {
      let (text, form) = (row[0].string ?? "", row[1].string ?? "")
      let found = try MathAnswer.normalized(text)
      #expect(Array(found.unicodeScalars) == Array(form.unicodeScalars), "\(text)")
    }
  }

  @Test("two answers are equal where sympy says so, and nowhere else")
  func equality() {
    let rows = Self.rows("equal")
    #expect(rows.count > 700)
    var others: [String] = []
    for row in rows {
      let (a, b, isEqual) = (row[0].string ?? "", row[1].string ?? "", row[2].integer == 1)
      if MathAnswer.areEqual(a, b) != isEqual { others.append("\(a)  \(b)  \(isEqual)") }
    }
    // sympy keeps this product as it stands, and then rounds it otherwise than a number.
    #expect(others == ["1\\frac{12}{13}  0.923076923076923  true"])
  }

  @Test("answers of AGIEval's cloze questions have its forms")
  func cloze() {
    let rows = Self.rows("cloze")
    #expect(rows.count > 200)
    for row in rows {
      let (a, b) = (row[0].string ?? "", row[1].string ?? "")
      #expect(ClozeAnswer.areEqual(a, b) == (row[2].integer == 1), "\(a)  \(b)")
    }
  }

  @Test("no text makes the reader fall over")
  func nonsense() {
    let pieces = [
      "\\frac", "{", "}", "^", "_", "(", ")", "x", "12", "\\sqrt", "[", "]", "|", "-", "\\", "!",
    ]
    var random = PythonRandom(seed: 3)
    for _ in 0..<3000 {
      let text = (0..<12).map { _ in pieces[random.sample(pieces.count, 1)[0]] }.joined()
      #expect(MathAnswer.areEqual(text, text))
      _ = MathAnswer.areEqual(text, "x")
      _ = ClozeAnswer.areEqual(text, "$x$")
    }
    let deep = String(repeating: "(", count: 100_000) + "1"
    #expect(!MathAnswer.areEqual(deep, "1"))
  }
}
