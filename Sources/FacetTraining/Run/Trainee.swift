// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor

/// A model made ready to be trained by one of the methods: what its pass is, and what of it changes.
struct Trainee {
  let backend: CPUBackend
  let transformer: Transformer
  let pass: TrainingPass
  let gradients: Gradients
  /// What is trained beside the weights; nil: the weights themselves.
  let adapter: Adapter?
  let adapterConfiguration: AdapterConfiguration?

  /// Takes the weights of `checkpoint` as the method wants them: as they lie in the file under QLoRA, rounded
  /// to bf16 under LoRA (they are read often and never written) unless integers are multiplied faster than
  /// that, in f32 where they change.
  init(
    _ configuration: TrainingConfiguration, checkpoint: Checkpoint, backend: CPUBackend
  ) throws {
    let model = try ModelConfiguration(checkpoint.architecture)
    let stored = try ModelWeights(checkpoint, configuration: model)
    let isExact = backend.precision == .exact
    let isExpanded = stored.embedding.dtype.isQuantized && (isExact || !backend.hasWords)
    let type: DType? =
      switch configuration.method {
      case .qlora: nil
      case .lora: isExpanded ? (isExact ? .f32 : .bf16) : nil
      case .full: .f32
      }
    let weights = try type.map { try stored.rewritten($0, on: backend) } ?? stored
    if type != nil {
      // What was copied is not read again where it lies in the file.
      for weight in stored.named { weight.tensor.storage.forgetPages() }
    }
    self.backend = backend
    transformer = Transformer(configuration: model, weights: weights, backend: backend)
    guard configuration.method != .full else {
      (adapter, adapterConfiguration) = (nil, nil)
      // Adafactor reads rows and columns of its gradients, and is small without this.
      let halves = !isExact && configuration.optimizer != .adafactor
      gradients = try Gradients(weights: weights, matrices: halves ? .bf16 : .f32)
      pass = TrainingPass(transformer, options: configuration.passOptions)
      return
    }
    let settings = try configuration.adapter(for: model)
    let adapter = try Adapter.random(model, settings, seed: configuration.seed)
    try Self.measureRows(of: adapter, weights, backend)
    self.adapter = adapter
    adapterConfiguration = settings
    gradients = try Gradients(adapter: adapter)
    pass = TrainingPass(
      transformer, adapter: adapter, dropout: Float(configuration.loraDropout),
      options: configuration.passOptions)
  }

  /// DoRA begins with the lengths that the rows of the matrices have.
  private static func measureRows(
    of adapter: Adapter, _ weights: ModelWeights, _ backend: CPUBackend
  ) throws {
    for (name, matrix) in weights.named {
      guard let module = adapter.modules[name], let magnitude = module.magnitude else { continue }
      backend.rowNorms(
        of: matrix, a: module.a, b: module.b, scale: module.scale, into: magnitude)
    }
  }

  /// Numbers that change.
  var trainedCount: Int { gradients.parameters.reduce(0) { $0 + $1.value.count } }

  /// Numbers of the model.
  var weightCount: Int { transformer.weights.named.reduce(0) { $0 + $1.tensor.count } }
}

extension TrainingConfiguration {
  /// How a pass spends memory: LoRA has some to spare for what need not be computed again; QLoRA is chosen
  /// where memory is short, and all weights with their moments take it all.
  var passOptions: TrainingPass.Options {
    var options = TrainingPass.Options()
    switch method {
    case .lora:
      options.keptByteCount = 600 << 20
      options.logitsByteCount = 360 << 20
    case .qlora: options.keptByteCount = 192 << 20
    case .full: break
    }
    return options
  }

  /// The adapter that the settings describe.
  func adapter(for model: ModelConfiguration) throws(TrainingError) -> AdapterConfiguration {
    var layers: Set<Int>?
    if !layersToTransform.isEmpty { layers = Set(layersToTransform) }
    if let lastLayers { layers = Set(max(0, model.layers - lastLayers)..<model.layers) }
    var result = AdapterConfiguration(
      rank: loraRank, alpha: Float(loraAlpha), dropout: Float(loraDropout),
      targetRoles: try targetRoles(), layers: layers)
    result.usesRSLoRA = usesRSLoRA
    result.usesDoRA = usesDoRA
    result.rankPattern = rankPattern
    result.alphaPattern = alphaPattern.mapValues { Float($0) }
    result.baseModel = self.model
    return result
  }

  private func targetRoles() throws(TrainingError) -> Set<TensorRole> {
    var roles: Set<TensorRole> = []
    for module in targetModules {
      if module == "all-linear" {
        roles.formUnion(AdapterConfiguration.linearRoles)
      } else if let role = Self.modules[module] {
        roles.insert(role)
      } else {
        throw TrainingError(
          .invalidSetting,
          "target_modules names '\(module)'; choose from all-linear, "
            + Self.modules.keys.sorted().joined(separator: ", ") + ".")
      }
    }
    return roles
  }

  private static let modules: [String: TensorRole] = [
    "q_proj": .query, "k_proj": .key, "v_proj": .value, "o_proj": .attentionOutput,
    "gate_proj": .gate, "up_proj": .up, "down_proj": .down, "lm_head": .head,
  ]
}
