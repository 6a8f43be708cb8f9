// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTensor

extension Transformer {
  /// The same model, noting in `statistics` what goes into its matrices.
  package func observed(by statistics: InputStatistics) -> Transformer {
    Transformer(
      configuration: configuration, weights: weights, on: ObservingBackend(backend, statistics))
  }
}
