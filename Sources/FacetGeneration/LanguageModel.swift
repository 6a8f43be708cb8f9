// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
public import FacetModel
public import FacetTensor
public import FacetTokenizer

/// A model that is ready to answer: its pass, its tokenizer, and how it was taught to converse.
///
/// Immutable and `Sendable`: any number of sessions share one.
public struct LanguageModel: Sendable {
  /// The forward pass with its weights.
  public let transformer: Transformer
  /// Text to tokens and back.
  public let tokenizer: Tokenizer
  /// The format of conversations; nil for a base model, which only continues texts.
  public private(set) var chatFormat: ChatFormat?
  /// What the model's files say that sampling should be; Gemma's own recommendation where they are
  /// silent.
  public let defaultSampling: Sampling
  /// What the model is, for people.
  public let card: ModelCard
  /// Threads that share the work of a pass.
  public let threadCount: Int
  /// The kernels in use.
  public let instructionSet: InstructionSet

  /// What changes the model's matrices in sessions that begin; each must fit the model.
  public private(set) var adapters: [Adapter] = []

  let backend: CPUBackend
  /// Guides for this model's vocabulary.
  package let guides: GuideLibrary

  /// Opens the model at `path`: a GGUF file, a Hugging Face directory, a llama2.c checkpoint.
  ///
  /// The weights stay in the mapped file.
  public static func load(
    path: String, options: LoadOptions = LoadOptions()
  ) throws -> LanguageModel {
    try LanguageModel(Checkpoint.open(path), options: options)
  }

  /// Makes a model of an open checkpoint.
  public init(_ checkpoint: Checkpoint, options: LoadOptions = LoadOptions()) throws {
    let configuration = try ModelConfiguration(checkpoint.architecture)
    let weights = try ModelWeights(checkpoint, configuration: configuration)
    tokenizer = try Tokenizer(checkpoint)
    guard tokenizer.vocabularySize >= configuration.vocabulary else {
      throw GenerationError(
        .mismatchedModel,
        "The tokenizer of '\(checkpoint.path)' has \(tokenizer.vocabularySize) pieces, but the model "
          + "has \(configuration.vocabulary) tokens. The two files do not belong together.")
    }
    try options.validate()
    instructionSet = options.instructionSet ?? .best
    let isReference = instructionSet == .reference
    backend = try options.makeBackend(isReference ? .baseline : instructionSet)
    if isReference {
      threadCount = 1
      transformer = Transformer(
        configuration: configuration, weights: weights, on: ReferenceBackend(),
        cacheDType: options.keyValueType)
    } else {
      threadCount = backend.threadCount
      transformer = Transformer(
        configuration: configuration, weights: weights, backend: backend,
        cacheDType: options.keyValueType)
    }
    guides = GuideLibrary(
      tokenizer, count: configuration.vocabulary, cachedIn: options.cacheFolder)
    chatFormat = ChatFormat.recognize(
      architecture: checkpoint.architecture.architecture, template: checkpoint.chatTemplate,
      tokenizer: tokenizer, name: checkpoint.architecture.name)
    defaultSampling = Sampling(checkpoint.generationDefaults)
    card = ModelCard(checkpoint, configuration, chatFormat: chatFormat)
    weights.embedding.storage.forgetPages()
  }

  /// What the machine can do at most with the threads and kernels of this model.
  public func measureCeilings() throws -> MachineCeilings { try backend.measureCeilings() }

  /// The same model with `adapters`, several with their strengths added up, or why one does not fit.
  ///
  /// The weights are shared.
  public func with(_ adapters: [Adapter]) throws -> LanguageModel {
    for adapter in adapters { try adapter.check(for: configuration) }
    var result = self
    result.adapters = try adapters.map { try $0.settled(on: transformer) }
    return result
  }

  /// The same model with the adapters at `paths`.
  ///
  /// An adapter that taught a base model to converse brings the chat format with it.
  public func with(adaptersAt paths: [String]) throws -> LanguageModel {
    let files = try paths.map(AdapterCheckpoint.open(path:))
    let result = try with(files.map { try Adapter($0, for: configuration) })
    return result.conversing(as: files.compactMap(\.chatTemplate).last)
  }

  /// The same model with the chat format that `template` is, if it is one and the tokenizer has its tokens;
  /// otherwise as it is.
  public func conversing(as template: String?) -> LanguageModel {
    guard
      let format = ChatFormat.recognize(
        architecture: "", template: template, tokenizer: tokenizer, name: nil)
    else { return self }
    var result = self
    result.chatFormat = format
    return result
  }

  /// The description of the architecture.
  public var configuration: ModelConfiguration { transformer.configuration }
}

extension LanguageModel {
  /// How a model is loaded.
  public struct LoadOptions: Sendable, Hashable {
    /// Threads that share the work; nil: one per core that the process may use.
    public var threads: Int?
    /// Exact: f32 activations throughout.
    ///
    /// Fast: the CPU's bf16 and integer dot products.
    public var precision: Precision
    /// The kernels to use; nil: the best that the CPU has.
    public var instructionSet: InstructionSet?
    /// The type of cached keys and values, one of ``KVCache/dtypes``; nil: f32 on the exact path, f16
    /// on the fast one.
    public var keyValueType: DType?
    /// Where what is worked out of a vocabulary once, for guides, is kept for the next process; nil: nowhere.
    ///
    /// Models that are loaded by name use the folder `cache` of their store.
    public var cacheFolder: String?

    /// All cores, the fast path, the best kernels, unless said otherwise.
    public init(
      threads: Int? = nil, precision: Precision = .fast, instructionSet: InstructionSet? = nil,
      keyValueType: DType? = nil, cacheFolder: String? = nil
    ) {
      self.threads = threads
      self.precision = precision
      self.instructionSet = instructionSet
      self.keyValueType = keyValueType
      self.cacheFolder = cacheFolder
    }

    /// Refuses values out of range with a sentence that names the option.
    public func validate() throws(GenerationError) {
      if let threads, threads < 1 || threads > 1024 {
        throw GenerationError(
          .invalidOption, "The number of threads is \(threads); it must lie between 1 and 1024.")
      }
      if let keyValueType, !KVCache.dtypes.contains(keyValueType) {
        let names = KVCache.dtypes.map(\.name).joined(separator: ", ")
        throw GenerationError(
          .invalidOption,
          "Keys and values cannot be kept as \(keyValueType); choose one of \(names).")
      }
      if let instructionSet, !instructionSet.isAvailable { throw Self.absent(instructionSet) }
    }

    func makeBackend(_ set: InstructionSet) throws(GenerationError) -> CPUBackend {
      guard
        let backend = CPUBackend(threads: threads, precision: precision, instructionSet: set)
      else { throw Self.absent(set) }
      return backend
    }

    private static func absent(_ set: InstructionSet) -> GenerationError {
      GenerationError(
        .invalidOption, "This CPU does not have the instruction set '\(set.rawValue)'.")
    }
  }
}

extension Sampling {
  /// What a model's files say, over Gemma's recommendation.
  init(_ defaults: GenerationDefaults) {
    self.init()
    temperature = defaults.temperature ?? temperature
    topK = defaults.topK ?? topK
    topP = defaults.topP ?? topP
  }
}
