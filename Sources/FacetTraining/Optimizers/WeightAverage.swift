// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor

/// A running mean of what is trained: after each step, mean = decay · mean + (1 − decay) · value.
///
/// It begins as the values. Its noise is less than that of the last step (Polyak & Juditsky 1992).
final class WeightAverage {
  private let decay: Float
  private let parameters: [Parameter]
  private let means: [Tensor]
  private let spare: Tensor
  private let backend: CPUBackend

  init(decay: Double, of parameters: [Parameter], backend: CPUBackend) throws(TensorError) {
    self.decay = Float(decay)
    self.parameters = parameters
    self.backend = backend
    let longest = parameters.map(\.value.count).max() ?? 0
    spare = try .zeros(rows: 1, columns: longest)
    var means: [Tensor] = []
    for parameter in parameters {
      let mean = try Tensor.zeros(rows: parameter.value.rows, columns: parameter.value.columns)
      backend.copy(parameter.value, to: mean)
      means.append(mean)
    }
    self.means = means
  }

  /// Bytes that it takes.
  var byteCount: Int { means.reduce(spare.byteCount) { $0 + $1.byteCount } }

  /// Takes in the values as a step has left them.
  func update() {
    for (parameter, mean) in zip(parameters, means) {
      backend.scale(mean, by: decay)
      backend.add(parameter.value, scale: 1 - decay, to: mean)
    }
  }

  /// Changes places with the values; a second time brings them back.
  func exchange() {
    for (parameter, mean) in zip(parameters, means) {
      let kept = spare.reshaped(columns: 1).rows(0..<mean.count)
        .reshaped(columns: mean.columns)
      backend.copy(parameter.value, to: kept)
      backend.copy(mean, to: parameter.value)
      backend.copy(kept, to: mean)
    }
  }

  /// The means by the names of what they are means of.
  var named: [(name: String, tensor: Tensor)] {
    zip(parameters, means).map { ($0.name, $1) }
  }
}
