// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetModel
public import FacetTensor

/// Changes parameters by their gradients, a step at a time.
///
/// One owner at a time. The number of threads changes no bit.
public final class Optimizer {
  /// How it steps.
  public let settings: OptimizerSettings
  /// Steps taken.
  public private(set) var steps = 0

  private let entries: [(parameter: Parameter, rule: any OptimizerRule)]
  private let backend: CPUBackend

  /// An optimizer of `parameters` that has taken no step.
  public init(
    _ settings: OptimizerSettings, parameters: [Parameter], backend: CPUBackend
  ) throws {
    try settings.check()
    self.settings = settings
    self.backend = backend
    do {
      entries = try parameters.map { ($0, try Self.rule(settings, $0)) }
    } catch let error as TensorError {
      throw TrainingError(
        .outOfMemory,
        "There is no memory for the optimizer's state: \(error). Train adapters, or fewer of them.")
    }
  }

  private static func rule(
    _ settings: OptimizerSettings, _ parameter: Parameter
  ) throws(TensorError) -> any OptimizerRule {
    switch settings.kind {
    case .adamw: try AdamWRule(settings, parameter)
    case .adamw8bit:
      // As usual for moments of 8 bits: norms and small factors stay exact.
      if parameter.value.count < 4096 {
        try AdamWRule(settings, parameter)
      } else {
        try AdamWBytesRule(settings, parameter)
      }
    case .adafactor: try AdafactorRule(settings, parameter)
    case .sgd: try SGDRule(settings, parameter)
    case .lion: try LionRule(settings, parameter)
    }
  }

  /// Bytes of what it remembers.
  public var byteCount: Int { state().reduce(0) { $0 + $1.tensor.byteCount } }

  /// One step at `learningRate`, with gradients clipped to `maxNorm`; nil: as they are.
  ///
  /// The gradients themselves stay as they are. Returns the length of all gradients together before
  /// clipping; where it is no finite number, nothing is changed.
  public func step(learningRate: Float, maxNorm: Float?) throws -> Double {
    guard learningRate >= 0, learningRate.isFinite else {
      throw TrainingError(
        .invalidSetting,
        "The learning rate of step \(steps + 1) is \(learningRate). Choose one that is not negative."
      )
    }
    if let maxNorm, !(maxNorm > 0) {
      throw TrainingError(
        .invalidSetting,
        "Gradients cannot be clipped to a norm of \(maxNorm). Choose a number above 0.")
    }
    let norm = entries.reduce(0) { $0 + backend.sumOfSquares($1.parameter.gradient) }.squareRoot()
    guard norm.isFinite else { return norm }
    steps += 1
    // PyTorch's clip_grad_norm_, which keeps the divisor from zero.
    let scale = maxNorm.map { min(1, Double($0) / (norm + 1e-6)) } ?? 1
    let step = OptimizerStep(
      learningRate: learningRate, number: steps, gradientScale: Float(scale), backend: backend)
    for (parameter, rule) in entries { rule.update(parameter, step) }
    return norm
  }

  /// What it remembers, by name: `layer 3 query a.first`.
  ///
  /// The tensors are its own memory: valid until the next step.
  public func state() -> [(name: String, tensor: Tensor)] {
    entries.flatMap { parameter, rule in
      rule.memory.map { ("\(parameter.name).\($0.name)", $0.tensor) }
    }
  }

  /// Puts back what `state()` gave after `steps` steps; throws, changing nothing, where it does not fit.
  public func restore(steps: Int, _ tensors: [String: Tensor]) throws {
    let advice = "Continue with the model and the optimizer that the checkpoint was written with."
    guard steps >= 0 else {
      throw TrainingError(
        .mismatchedModel, "The optimizer's state is of \(steps) steps, which cannot be. \(advice)")
    }
    var copies: [(from: Tensor, to: Tensor)] = []
    for (name, tensor) in state() {
      guard let found = tensors[name] else {
        throw TrainingError(
          .mismatchedModel, "The optimizer's state has no tensor '\(name)'. \(advice)")
      }
      guard
        found.dtype == tensor.dtype, found.rows == tensor.rows, found.columns == tensor.columns
      else {
        throw TrainingError(
          .mismatchedModel,
          """
          The tensor '\(name)' of the optimizer's state is \(found.dtype) [\(found.rows), \
          \(found.columns)] where \(tensor.dtype) [\(tensor.rows), \(tensor.columns)] is needed. \
          \(advice)
          """)
      }
      copies.append((found, tensor))
    }
    for (source, target) in copies { target.overwrite(with: source) }
    self.steps = steps
  }
}
