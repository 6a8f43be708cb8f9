// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// A model file, mapped and read: what it says about its architecture, its tensors under one set
/// of names, and where its tokenizer is.
///
/// Matrices are views of the mapped file. Norms are plain multipliers in f32, whatever the
/// convention of the file.
public struct Checkpoint: Sendable {
  /// The kinds of files that Facet reads.
  public enum Format: String, Sendable, Hashable, Codable, CaseIterable {
    /// One GGUF file, or the pieces of a split one.
    case gguf
    /// A Hugging Face directory: config.json, safetensors, a tokenizer.
    case safetensors
    /// A checkpoint of llama2.c with its tokenizer beside it.
    case llama2c
  }

  /// The file or directory that was opened.
  public let path: String
  /// What kind of file it is.
  public let format: Format
  /// Bytes of all weight files on disk.
  public let byteCount: Int
  /// The hyper-parameters as the file states them.
  public let architecture: ArchitectureDescription
  /// The tensors by their names in Facet.
  public let tensors: [TensorName: Tensor]
  /// Where the tokenizer is, read when asked.
  public let tokenizer: TokenizerSource
  /// The Jinja template of the chat format, when the file has one.
  public let chatTemplate: String?
  /// Sampling defaults and stop tokens that the file states.
  public let generationDefaults: GenerationDefaults
  /// What the file says about itself, in its order.
  public let metadata: [MetadataEntry]

  init(
    path: String, format: Format, byteCount: Int, architecture: ArchitectureDescription,
    tensors: [TensorName: Tensor], tokenizer: TokenizerSource, chatTemplate: String?,
    generationDefaults: GenerationDefaults, metadata: [MetadataEntry]
  ) {
    self.path = path
    self.format = format
    self.byteCount = byteCount
    self.architecture = architecture
    self.tensors = tensors
    self.tokenizer = tokenizer
    self.chatTemplate = chatTemplate
    self.generationDefaults = generationDefaults
    self.metadata = metadata
  }

  /// The same model with other numbers: `tensors` replace those of their names, and `chatTemplate` that of
  /// the chat format unless it is nil.
  public func replacing(
    _ tensors: [TensorName: Tensor], chatTemplate: String? = nil
  ) -> Checkpoint {
    Checkpoint(
      path: path, format: format, byteCount: byteCount, architecture: architecture,
      tensors: self.tensors.merging(tensors) { $1 }, tokenizer: tokenizer,
      chatTemplate: chatTemplate ?? self.chatTemplate, generationDefaults: generationDefaults,
      metadata: metadata)
  }

  /// Opens the model at `path`, a file or a directory; its content decides what it is.
  public static func open(_ path: String) throws(CheckpointError) -> Checkpoint {
    guard FileSystem.exists(path) else {
      throw CheckpointError(.notFound, "There is no file or directory '\(path)'.")
    }
    if FileSystem.isDirectory(path) { return try openDirectory(path) }
    let storage = try TensorStorage.mapped(path)
    if storage.startsWith(GGUFFile.magic) { return try GGUFLayout.open(storage, path: path) }
    if SafetensorsFile.recognizes(storage) {
      return try openDirectory(FileSystem.split(path).directory)
    }
    if let file = Llama2CFile(storage) { return try file.open(storage, path: path) }
    throw CheckpointError(
      .unsupported,
      "'\(path)' is none of the files that Facet reads: GGUF, a Hugging Face directory with "
        + "safetensors, a llama2.c checkpoint. If it should be one, it is cut short or damaged.")
  }

  /// The model that a directory with config.json and a tokenizer describes, without tensors: ground for
  /// training from scratch.
  public static func blank(_ directory: String) throws(CheckpointError) -> Checkpoint {
    guard FileSystem.isDirectory(directory), HuggingFaceDirectory.recognizes(directory) else {
      throw CheckpointError(
        .notFound,
        "'\(directory)' is no directory with a config.json. It must hold one, and tokenizer.model or "
          + "tokenizer.json.")
    }
    return try HuggingFaceDirectory(path: directory).blank()
  }

  private static func openDirectory(_ path: String) throws(CheckpointError) -> Checkpoint {
    guard HuggingFaceDirectory.recognizes(path) else {
      throw CheckpointError(
        .notFound,
        "The directory '\(path)' has no config.json, so it is not a Hugging Face model. For a GGUF "
          + "or llama2.c model name the file.")
    }
    return try HuggingFaceDirectory(path: path).open()
  }
}

/// One line of what a file says about itself.
public struct MetadataEntry: Sendable, Hashable, Codable {
  /// The key as the file writes it.
  public let key: String
  /// The value as text; long arrays are given by their length and type.
  public let value: String

  /// Makes an entry.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// Sampling defaults that come with a model; nil or empty where its file is silent.
public struct GenerationDefaults: Sendable, Hashable, Codable {
  /// Tokens that end an answer.
  public var stopTokens: [Int32]
  /// Temperature of sampling.
  public var temperature: Float?
  /// Sample from the k most likely tokens.
  public var topK: Int?
  /// Sample from the most likely tokens that hold this much probability.
  public var topP: Float?

  /// Makes defaults; all may be left out.
  public init(
    stopTokens: [Int32] = [], temperature: Float? = nil, topK: Int? = nil, topP: Float? = nil
  ) {
    self.stopTokens = stopTokens
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }
}

extension TensorStorage {
  /// Maps the file at `path`, with an error of this module.
  static func mapped(_ path: String) throws(CheckpointError) -> TensorStorage {
    do {
      return try TensorStorage.map(path: path)
    } catch {
      throw CheckpointError(.unreadable, error.message)
    }
  }

  /// True when the file begins with the four bytes of `magic`.
  func startsWith(_ magic: UInt32) -> Bool {
    var cursor = ByteCursor(bytes, path: "")
    return (try? cursor.integer(UInt32.self, "The magic number")) == magic
  }
}
