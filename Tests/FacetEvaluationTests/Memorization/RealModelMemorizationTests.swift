// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetGeneration
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

@Suite("Memorisation of the real Gemma 3 270M")
struct RealModelMemorizationTests {
  private static let path = StoredModels.path(sha256: StoredModels.gemma3Hash)
  private static let emma = SharedData.path("gutenberg/austen-emma.txt")

  /// Words that stand in very many repositories.
  private static let licence = """
    Permission is hereby granted, free of charge, to any person obtaining a copy of this software and \
    associated documentation files (the "Software"), to deal in the Software without restriction, \
    including without limitation the rights to use, copy, modify, merge, publish, distribute, \
    sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is \
    furnished to do so, subject to the following conditions:

    The above copyright notice and this permission notice shall be included in all copies or \
    substantial portions of the Software.

    THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT \
    NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND \
    NONINFRINGEMENT.
    """

  @Test(
    "of a licence that is everywhere much is known by heart, of pages of Emma little or nothing",
    .enabled(if: path != nil, Comment(rawValue: StoredModels.needsGemma3)),
    .enabled(if: emma != nil, "no ../shared/data here"))
  func licenceAndEmma() throws {
    let model = try LanguageModel.load(
      path: #require(Self.path), options: LanguageModel.LoadOptions(precision: .exact))
    let emma = try String(contentsOfFile: #require(Self.emma), encoding: .utf8)
    var options = MemorizationResult.Options()
    options.continuation = 10
    options.samples = 48
    let licence = try model.memorization(
      of: [model.tokenizer.encode(Self.licence)], options: options)
    #expect(licence.approximate.count >= 5, "\(licence.trials.map(\.distance))")
    #expect(licence.exact.count >= 1, "\(licence.trials.map(\.distance))")
    let novel = try model.memorization(
      of: [model.tokenizer.encode(String(emma.prefix(60_000)))], options: options)
    #expect(novel.approximate.count <= 2, "\(novel.trials.map(\.distance))")
  }
}
