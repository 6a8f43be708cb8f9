// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet

let model = try await Model.load(CommandLine.arguments.dropFirst().first ?? "gemma3:270m")
let options = GenerationOptions(sampling: .greedy, maxTokens: 32)
for try await text in model.text("The capital of France is", options: options) {
  print(text, terminator: "")
}
print()
