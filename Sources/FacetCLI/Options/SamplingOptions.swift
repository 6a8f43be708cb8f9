// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

/// How tokens are drawn; what is not given follows the model's own files.
struct SamplingOptions: ParsableArguments {
  @Flag(help: "Always take the likeliest token; the same as --temperature 0.")
  var greedy = false

  @Option(
    parsing: .unconditional,
    help: "Above 1 more varied, below 1 more certain, 0 greedy (Gemma: 1).")
  var temperature: Float?

  @Option(parsing: .unconditional, help: "Draw from the k likeliest tokens; 0 is off (Gemma: 64).")
  var topK: Int?

  @Option(
    parsing: .unconditional,
    help: "Draw from the likeliest tokens with this much probability; 1 is off (Gemma: 0.95).")
  var topP: Float?

  @Option(
    parsing: .unconditional,
    help: "Drop tokens less likely than this share of the likeliest; 0 is off.")
  var minP: Float?

  @Option(parsing: .unconditional, help: "Locally typical sampling; 1 is off.")
  var typicalP: Float?

  @Option(parsing: .unconditional, help: "Divides logits of tokens seen before; 1 is off.")
  var repetitionPenalty: Float?

  @Option(parsing: .unconditional, help: "Taken off tokens seen before; 0 is off.")
  var presencePenalty: Float?

  @Option(parsing: .unconditional, help: "Taken off tokens each time they were seen; 0 is off.")
  var frequencyPenalty: Float?

  @Option(parsing: .unconditional, help: "Tokens that penalties look back on; -1 is all (64).")
  var penaltyWindow: Int?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Added to a token's logit; -inf forbids it. May be repeated.", valueName: "id=bias"))
  var logitBias: [LogitBias] = []

  @Option(parsing: .unconditional, help: "Makes the answer repeatable (default: a new one).")
  var seed: UInt64?

  func validate() throws {
    if greedy, let temperature, temperature != 0 {
      throw ValidationError("--greedy means --temperature 0; give one of the two.")
    }
    do { try sampling(over: Sampling()).validate() } catch {
      throw ValidationError(error.message)
    }
  }

  /// The options given, over the model's own.
  func sampling(over defaults: Sampling) -> Sampling {
    var sampling = defaults
    sampling.temperature = greedy ? 0 : temperature ?? sampling.temperature
    sampling.topK = topK ?? sampling.topK
    sampling.topP = topP ?? sampling.topP
    sampling.minP = minP ?? sampling.minP
    sampling.typicalP = typicalP ?? sampling.typicalP
    sampling.repetitionPenalty = repetitionPenalty ?? sampling.repetitionPenalty
    sampling.presencePenalty = presencePenalty ?? sampling.presencePenalty
    sampling.frequencyPenalty = frequencyPenalty ?? sampling.frequencyPenalty
    sampling.penaltyWindow = penaltyWindow ?? sampling.penaltyWindow
    for bias in logitBias { sampling.logitBias[bias.token] = bias.bias }
    sampling.seed = seed ?? sampling.seed
    return sampling
  }
}

/// One `ID=B` of `--logit-bias`.
struct LogitBias: ExpressibleByArgument {
  let token: TokenID
  let bias: Float

  init?(argument: String) {
    let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let token = TokenID(parts[0]), let bias = Float(parts[1]) else {
      return nil
    }
    self.token = token
    self.bias = bias
  }
}
