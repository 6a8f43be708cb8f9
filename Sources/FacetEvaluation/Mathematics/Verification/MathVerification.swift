// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// lm-eval's metric `math_verify`: whether what a text answers is what a solution answers, as math_verify 0.9.0
/// says with latex2sympy2_extended 1.11.0 and sympy 1.14.0.
///
/// Both are read whatever form they have: in LaTeX or in digits, in a box or after "the answer is". What cannot
/// be read here, or is not decided here, counts as wrong, as there.
package enum MathVerification {
  /// Whether `answer` gives the answer of `solution`.
  package static func isRight(
    _ answer: String, solution: String
  ) throws(EvaluationError) -> Bool {
    let gold = try ExtractedAnswer(from: solution)
    guard !gold.isEmpty else { return false }
    let given = try ExtractedAnswer(from: answer)
    if let a = gold.text.map(PythonText.strip), let b = given.text.map(PythonText.strip),
      !a.isEmpty, PythonText.areEqual(a, b)
    {
      return true
    }
    guard let a = gold.object, let b = given.object else { return false }
    return AnswerComparison.areEqual(a, b)
  }
}
