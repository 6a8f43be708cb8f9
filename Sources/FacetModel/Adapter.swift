// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
public import FacetTensor

/// A low-rank adapter that fits a model: the rows of its factors stand as the model's own.
///
/// The strength multiplies the scale of every module; with DoRA's magnitudes a strength of 0 is not
/// the base model.
public struct Adapter: Sendable {
  /// What is added to each matrix.
  public var modules: [TensorName: AdapterMatrices] { didSet { factors = [:] } }
  /// How much of it is added.
  public var strength: Float = 1 { didSet { factors = [:] } }
  /// What people call it: the last part of its path.
  public var name = ""
  /// What rows of outputs are multiplied by under DoRA, where that is known beforehand.
  private(set) var factors: [TensorName: Tensor] = [:]

  /// Joins matrices that fit a model.
  public init(modules: [TensorName: AdapterMatrices], strength: Float = 1, name: String = "") {
    self.modules = modules
    self.strength = strength
    self.name = name
  }

  /// Fits `checkpoint` to a model of `configuration`, or says why it is another model's.
  public init(
    _ checkpoint: AdapterCheckpoint, for configuration: ModelConfiguration
  ) throws(ModelError) {
    let name = checkpoint.path.split(separator: "/").last.map(String.init) ?? "adapter"
    let fit = AdapterFit(
      modules: checkpoint.modules, baseModel: checkpoint.configuration.baseModel,
      model: configuration, name: name)
    try fit.check(architecture: checkpoint.architecture)
    var modules: [TensorName: AdapterMatrices] = [:]
    for (name, matrices) in checkpoint.modules {
      modules[name] = try matrices.reordered(
        name, from: checkpoint.rotaryLayout, to: configuration.rotaryLayout, configuration)
    }
    self.init(modules: modules, name: name)
  }

  /// The adapter as its files hold it, the rows of queries and keys in `layout`: that of PEFT unless
  /// said otherwise.
  ///
  /// `configuration` goes into the files; what it says of ranks and scales must be true of the matrices.
  public func checkpoint(
    _ configuration: AdapterConfiguration, for model: ModelConfiguration,
    layout: RotaryLayout = .halfSplit
  ) throws(ModelError) -> AdapterCheckpoint {
    var modules: [TensorName: AdapterMatrices] = [:]
    for (name, matrices) in self.modules {
      modules[name] = try matrices.reordered(name, from: model.rotaryLayout, to: layout, model)
    }
    return AdapterCheckpoint(
      configuration: configuration, modules: modules, rotaryLayout: layout,
      architecture: model.family.architecture)
  }
}

extension Adapter {
  /// The same with the work done that DoRA's magnitudes would make at every pass: for a model whose weights and
  /// adapters stay as they are.
  public func settled(on transformer: Transformer) throws -> Adapter {
    if modules.allSatisfy({ $0.value.magnitude == nil || self.factors[$0.key] != nil }) {
      return self
    }
    var factors: [TensorName: Tensor] = [:]
    for (name, module) in modules {
      guard let magnitude = module.magnitude else { continue }
      let result = try Tensor.zeros(rows: 1, columns: module.rows)
      transformer.writeMagnitudeFactors(magnitude, module, strength, name, into: result)
      factors[name] = result
    }
    var result = self
    result.factors = factors
    return result
  }

  /// An adapter that changes nothing yet: A uniform in ±1/√in, B zero.
  ///
  /// That is PEFT's beginning (Kaiming-uniform with a = √5). DoRA's magnitudes are zero: they are to
  /// become the lengths of the rows of the model's own matrices.
  public static func random(
    _ model: ModelConfiguration, _ configuration: AdapterConfiguration, seed: UInt64
  ) throws -> Adapter {
    try configuration.validate()
    if configuration.targetRoles.contains(.head), model.tiedEmbeddings {
      throw ModelError.tiedHead("The adapter", model)
    }
    if let layer = configuration.layers?.max(), layer >= model.layers {
      throw ModelError(
        .unexpectedTensor,
        "The adapter is to change layer \(layer) of \(model.name), which has \(model.layers) layers "
          + "counted from 0.")
    }
    var generator = RandomGenerator(seed: seed)
    var modules: [TensorName: AdapterMatrices] = [:]
    for name in model.matrixNames where configuration.targets(name) {
      guard let shape = model.shape(of: name) else { continue }
      let rank = configuration.rank(of: name)
      let bound = 1 / Double(shape.columns).squareRoot()
      let values = (0..<rank * shape.columns).map { _ in
        Float((2 * generator.uniform() - 1) * bound)
      }
      modules[name] = AdapterMatrices(
        a: try Tensor.floats(values, rows: rank, columns: shape.columns),
        b: try Tensor.zeros(rows: shape.rows, columns: rank),
        magnitude: configuration.usesDoRA
          ? try Tensor.zeros(rows: 1, columns: shape.rows) : nil,
        scale: configuration.scale(of: name))
    }
    return Adapter(modules: modules)
  }
}

extension Adapter {
  /// Throws, with a sentence, when the adapter does not fit a model of `configuration`.
  public func check(for configuration: ModelConfiguration) throws(ModelError) {
    try AdapterFit(
      modules: modules, baseModel: nil, model: configuration,
      name: name.isEmpty ? "adapter" : name
    ).check()
  }

  /// A number that tells this adapter from others: over all factors, scales and the strength.
  package var identity: UInt64 {
    var sum = Checksum()
    sum.add(UInt64(strength.bitPattern))
    for (name, matrices) in modules.sorted(by: { $0.key.description < $1.key.description }) {
      sum.add(name.description)
      sum.add(UInt64(matrices.scale.bitPattern))
      for tensor in [matrices.a, matrices.b, matrices.magnitude].compactMap({ $0 }) {
        sum.add(UInt64(tensor.rows))
        sum.add(tensor.bytes)
      }
    }
    return sum.value
  }
}

extension ModelConfiguration {
  /// The matrices that an adapter can change, in the order of the model.
  package var matrixNames: [TensorName] {
    let roles: [TensorRole] = [.query, .key, .value, .attentionOutput, .gate, .up, .down]
    let names = (0..<layers).flatMap { layer in roles.map { TensorName($0, layer: layer) } }
    return tiedEmbeddings ? names : names + [TensorName(.head)]
  }
}

extension Family {
  /// What GGUF files call the architecture.
  var architecture: String { self == .gemma1 ? "gemma" : rawValue }
}

extension ModelError {
  /// The refusal of an adapter of a head that is the embedding.
  static func tiedHead(_ adapter: String, _ model: ModelConfiguration) -> ModelError {
    ModelError(
      .unsupported,
      "\(adapter) changes the head, which in \(model.name) is the embedding as well, so that a change "
        + "of one would change the other. Train it on the other matrices.")
  }
}

/// An adapter held against a model.
private struct AdapterFit {
  let modules: [TensorName: AdapterMatrices]
  let baseModel: String?
  let model: ModelConfiguration
  let name: String

  /// Where the adapter says that it comes from.
  private var origin: String {
    baseModel.map { " It was made for '\($0)'." }
      ?? " It was made for another model."
  }

  func check(architecture: String? = nil) throws(ModelError) {
    if let architecture, architecture != model.family.architecture {
      throw ModelError(
        .inconsistent,
        "The adapter '\(name)' is for models of the architecture '\(architecture)'; \(model.name) is of "
          + "'\(model.family.architecture)'.")
    }
    guard !modules.isEmpty else {
      throw ModelError(
        .missingTensor, "The adapter '\(name)' matches no tensor of \(model.name).")
    }
    let names = modules.keys.sorted { $0.description < $1.description }
    for tensor in names {
      guard let matrices = modules[tensor] else { continue }
      if tensor.role == .head, model.tiedEmbeddings {
        throw ModelError.tiedHead("The adapter '\(name)'", model)
      }
      guard let shape = model.shape(of: tensor), !tensor.role.isNorm, tensor.role != .embedding
      else {
        throw ModelError(
          .unexpectedTensor,
          "The adapter '\(name)' changes '\(tensor)', which \(model.name) (\(model.layers) layers) "
            + "does not have." + origin)
      }
      guard (matrices.rows, matrices.columns) == shape else {
        throw ModelError(
          .wrongShape,
          "The adapter '\(name)' changes '\(tensor)' as if it were \(matrices.rows) × "
            + "\(matrices.columns); in \(model.name) it is \(shape.rows) × \(shape.columns)."
            + origin)
      }
    }
  }
}

extension AdapterMatrices {
  /// The same with the rows of queries and keys in another rotary layout.
  fileprivate func reordered(
    _ name: TensorName, from: RotaryLayout, to: RotaryLayout, _ model: ModelConfiguration
  ) throws(ModelError) -> AdapterMatrices {
    guard from != to, name.role == .query || name.role == .key else { return self }
    var result = self
    do {
      result.b = try b.withHeads(of: model.headWidth, in: to)
      result.magnitude = try magnitude?.reshaped(columns: 1).withHeads(of: model.headWidth, in: to)
        .reshaped(columns: rows)
    } catch {
      throw ModelError(.outOfMemory, error.message)
    }
    return result
  }
}

extension Tensor {
  /// A copy of an f32 matrix whose rows, heads of `width`, are put into `layout` from the other one.
  fileprivate func withHeads(
    of width: Int, in layout: RotaryLayout
  ) throws(TensorError) -> Tensor {
    let order = RowOrder.pairingHalves(headWidth: width)
    let source = floats()
    var result = source
    for row in 0..<rows {
      let (to, from) =
        layout == .interleaved ? (row, order.stored(row)) : (order.stored(row), row)
      for column in 0..<columns {
        result[to * columns + column] = source[from * columns + column]
      }
    }
    return try Tensor.floats(result, rows: rows, columns: columns)
  }
}
