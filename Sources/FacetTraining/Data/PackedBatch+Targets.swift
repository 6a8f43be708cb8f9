// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetModel

extension PackedBatch {
  /// The batch as the model takes it: a trained token is predicted by the row before it.
  public var targetBatch: TargetBatch {
    var tokens: [Int32] = []
    var targets: [TargetBatch.Target] = []
    for example in examples {
      for (index, token) in example.tokens.enumerated() where index > 0 && example.isTarget[index] {
        targets.append(TargetBatch.Target(row: tokens.count + index - 1, token: token))
      }
      tokens += example.tokens
    }
    return TargetBatch(tokens: tokens, lengths: examples.map(\.tokens.count), targets: targets)
  }
}
