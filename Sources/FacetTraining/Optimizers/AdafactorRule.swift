// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor

/// Adafactor, as PyTorch has it: the second moments of a matrix are a row times a column.
struct AdafactorRule: OptimizerRule {
  private let settings: OptimizerSettings
  private let rows: Tensor?
  private let columns: Tensor

  init(_ settings: OptimizerSettings, _ parameter: Parameter) throws(TensorError) {
    self.settings = settings
    let (height, width) = (parameter.value.rows, parameter.value.columns)
    rows = height > 1 ? try .zeros(rows: 1, columns: height) : nil
    columns = try .zeros(rows: 1, columns: width)
  }

  var memory: [(name: String, tensor: Tensor)] {
    (rows.map { [("rows", $0)] } ?? []) + [("columns", columns)]
  }

  func update(_ parameter: Parameter, _ step: OptimizerStep) {
    step.backend.adafactor(
      parameter.value, rows: rows, columns: columns, gradient: parameter.gradient,
      step: AdafactorStep(
        learningRate: step.learningRate,
        weightDecay: parameter.decays ? settings.weightDecay : 0, number: step.number,
        gradientScale: step.gradientScale))
  }
}
