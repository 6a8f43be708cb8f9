// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
public import FacetTensor

/// Something that training changes, and where its gradient gathers.
public struct Parameter: Sendable {
  /// What part of a matrix's change it is.
  public enum Part: String, Sendable, Hashable, Codable, CaseIterable {
    /// The tensor itself.
    case weight
    /// The inner factor of an adapter [r, in], the outer one [out, r], and the magnitudes [1, out].
    case a, b, magnitude
  }

  /// The tensor of the model that it is or changes.
  public let tensor: TensorName
  /// What part of it.
  public let part: Part
  /// The numbers, f32 in memory of their own; the optimiser writes them.
  public let value: Tensor
  /// The gradient of the loss, of the same shape: f32, or bf16 where memory is short.
  public let gradient: Tensor

  /// One name for each parameter: `layer 3 query a`.
  public var name: String { part == .weight ? "\(tensor)" : "\(tensor) \(part.rawValue)" }
  /// Whether weight decay applies: to matrices, not to the multipliers of norms and magnitudes.
  public var decays: Bool { !tensor.role.isNorm && part != .magnitude }
}

/// The gradients of all that a run trains, summed over its micro-batches.
///
/// One owner at a time.
public final class Gradients {
  /// What is trained, in a fixed order.
  public let parameters: [Parameter]
  private let places: [Place: Int]

  private struct Place: Hashable {
    var tensor: TensorName
    var part: Parameter.Part
  }

  private init(
    _ values: [(TensorName, Parameter.Part, Tensor)], matrices dtype: DType = .f32
  ) throws(TensorError) {
    var parameters: [Parameter] = []
    var places: [Place: Int] = [:]
    for (tensor, part, value) in values {
      places[Place(tensor: tensor, part: part)] = parameters.count
      parameters.append(
        Parameter(
          tensor: tensor, part: part, value: value,
          gradient: try .zeros(
            rows: value.rows, columns: value.columns, dtype: tensor.role.isNorm ? .f32 : dtype)))
    }
    self.parameters = parameters
    self.places = places
  }

  /// Those of an adapter's factors.
  public convenience init(adapter: Adapter) throws(TensorError) {
    var values: [(TensorName, Parameter.Part, Tensor)] = []
    for name in adapter.modules.keys.sorted(by: Self.isBefore) {
      guard let module = adapter.modules[name] else { continue }
      values.append((name, .a, module.a))
      values.append((name, .b, module.b))
      if let magnitude = module.magnitude { values.append((name, .magnitude, magnitude)) }
    }
    try self.init(values)
  }

  /// Those of all weights, which must be f32 in memory of their own.
  ///
  /// Gradients of matrices gather in `dtype`, f32 or bf16: half the memory, and each micro-batch rounds the sum
  /// to 8 bits of precision.
  public convenience init(weights: ModelWeights, matrices dtype: DType = .f32) throws(TensorError) {
    precondition(dtype == .f32 || dtype == .bf16, "gradients of \(dtype)")
    try self.init(weights.named.map { ($0.name, .weight, $0.tensor) }, matrices: dtype)
  }

  /// The gradient of a part of `tensor`; nil when it is not trained.
  func gradient(_ tensor: TensorName, _ part: Parameter.Part = .weight) -> Tensor? {
    places[Place(tensor: tensor, part: part)].map { parameters[$0].gradient }
  }

  /// Bytes that all take.
  public var byteCount: Int { parameters.reduce(0) { $0 + $1.gradient.byteCount } }

  /// Whether any weight is trained, not only adapters.
  var trainsWeights: Bool { parameters.contains { $0.part == .weight } }

  /// Sets all to zero.
  public func reset() {
    for parameter in parameters { parameter.gradient.clear() }
  }

  private static func isBefore(_ a: TensorName, _ b: TensorName) -> Bool {
    (a.layer ?? -1, a.role.rawValue) < (b.layer ?? -1, b.role.rawValue)
  }
}
