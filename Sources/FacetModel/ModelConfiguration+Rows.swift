// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
import FacetTensor

internal import FacetCheckpoint

extension ModelConfiguration {
  /// The known row that has this shape.
  ///
  /// Llama's shape says little, so what the file states about rotary base and window must agree
  /// too; a Gemma shape belongs to one model alone.
  func matchingRow(stated description: ArchitectureDescription) -> ModelConfiguration? {
    ModelConfiguration.known.first { row in
      guard row.family == family, row.layers == layers, hasLayerShape(of: row) else { return false }
      return family.isGemma
        || row.rope == rope && row.vocabulary == vocabulary
          && (description.slidingWindow == nil || row.attention == attention)
    }
  }

  private func hasLayerShape(of row: ModelConfiguration) -> Bool {
    row.width == width && row.feedForwardWidth == feedForwardWidth && row.queryHeads == queryHeads
      && row.keyValueHeads == keyValueHeads && row.headWidth == headWidth
  }

  /// Takes from `row` its name and what the file does not state; refuses contradictions.
  mutating func adopt(
    _ row: ModelConfiguration, stated: ArchitectureDescription
  ) throws(ModelError) {
    let published = (name: row.name, scalar: stated.queryPreAttentionScalar)
    if stated.queryPreAttentionScalar != nil, published != ("gemma-2-9b", 224) {
      try check("attention scale", "\(attentionScale)", "\(row.attentionScale)", row)
    }
    if stated.attentionSoftCap != nil {
      try check(
        "attention soft cap", text(attentionSoftCap), text(row.attentionSoftCap), row)
    }
    if stated.finalSoftCap != nil {
      try check("final soft cap", text(finalSoftCap), text(row.finalSoftCap), row)
    }
    if stated.slidingWindow != nil || stated.slidingWindowPattern != nil {
      try check("attention pattern", "\(attention)", "\(row.attention)", row)
    }
    name = row.name
    attentionScale = row.attentionScale
    attentionSoftCap = row.attentionSoftCap
    finalSoftCap = row.finalSoftCap
    attention = row.attention
    if stated.ropeScale == nil { rope.scale = row.rope.scale }
    if stated.contextLength == nil { contextLength = row.contextLength }
    // Rows of the embedding that no tokenizer reaches: 64 in Hugging Face's larger Gemma 3 files,
    // 128 in JAX's Gemma 1 and 2.
    if family.isGemma, (1...128).contains(vocabulary - row.vocabulary) {
      vocabulary = row.vocabulary
    }
  }

  private func text(_ cap: Float?) -> String { cap.map { "\($0)" } ?? "none" }

  /// Compares two numbers by the texts that the error would show.
  private func check(
    _ what: String, _ found: String, _ known: String, _ row: ModelConfiguration
  ) throws(ModelError) {
    guard found != known else { return }
    throw ModelError(
      .inconsistent,
      "The file has the shape of \(row.name) and states another \(what) (\(found), not \(known)). "
        + "It is damaged or was converted wrongly; use another file.")
  }
}
