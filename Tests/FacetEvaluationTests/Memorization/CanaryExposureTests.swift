// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetGeneration
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

@Suite("CanaryExposure")
struct CanaryExposureTests {
  private func model() throws -> LanguageModel {
    try LanguageModel.load(
      path: Goldens.path("fixtures/gemma3/gemma3.gguf"),
      options: LanguageModel.LoadOptions(threads: 1, precision: .exact))
  }

  @Test("candidates have the form of the secret, are others and come once; a small form is used up")
  func candidates() throws {
    let canary = try Canary("My code is [48a-X] today")
    #expect(canary.text == "My code is 48a-X today")
    #expect(abs(canary.bits - log2(100 * 26 * 26)) < 1e-12)
    let candidates = canary.candidates(500, seed: 3)
    #expect(candidates.count == 500 && Set(candidates).count == 500)
    #expect(!candidates.contains(canary.text))
    let form = /My code is [0-9][0-9][a-z]-[A-Z] today/
    #expect(candidates.allSatisfy { $0.wholeMatch(of: form) != nil })
    #expect(candidates == canary.candidates(500, seed: 3))
    #expect(try Set(Canary("[7]").candidates(1000, seed: 0)) == Set("012345689".map { "\($0)" }))
  }

  @Test("the exposure is that of the rank by likelihoods which sessions give token by token")
  func rank() throws {
    let model = try model()
    func likelihood(_ text: String) throws -> Double {
      let tokens = model.tokenizer.encode(text, bos: true)
      var session = try Session(model, context: tokens.count)
      var logits = try session.prefill([tokens[0]]).floats()
      var sum = 0.0
      for token in tokens.dropFirst() {
        let total = log(logits.reduce(0) { $0 + exp(Double($1)) })
        sum += Double(logits[Int(token)]) - total
        logits = try session.decode(token).floats()
      }
      return sum
    }
    let own = try likelihood("code 4")
    #expect(abs(try model.logLikelihood("code 4") - own) < 1e-3)
    let others = try "012356789".map { try likelihood("code \($0)") }
    let exposure = try model.exposure(ofCanary: "code [4]", candidates: 100)
    #expect(exposure.candidateCount == 10)
    #expect(exposure.rank == 1 + others.count { $0 >= own })
    #expect(abs(exposure.exposure - (log2(10) - log2(Double(exposure.rank)))) < 1e-12)
    #expect(abs(exposure.greatest - log2(10)) < 1e-12)
  }

  @Test(
    "a canary without a secret is refused", arguments: ["no marks", "[]", "a [-] b", "open [12"])
  func noSecret(_ text: String) {
    let error = #expect(throws: EvaluationError.self) { try Canary(text) }
    #expect(
      error?.message
        == "The canary '\(text)' has no secret: put it into square brackets, as in "
        + "'The code is [4821]'; digits and letters in them are what varies.")
  }
}
