// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
public import FacetTensor

/// The two factors that an adapter adds to a matrix W [out, in]: W + scale · b · a.
public struct AdapterMatrices: Sendable {
  /// The inner factor [r, in], f32 in memory of its own.
  public var a: Tensor
  /// The outer factor [out, r], f32 in memory of its own.
  public var b: Tensor
  /// The length of each row of the changed matrix [1, out], f32: DoRA.
  public var magnitude: Tensor?
  /// What the product is multiplied by.
  public var scale: Float

  /// Joins two factors of one rank.
  public init(a: Tensor, b: Tensor, magnitude: Tensor? = nil, scale: Float) {
    precondition(
      a.rows == b.columns && a.dtype == .f32 && b.dtype == .f32,
      "factors [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)]")
    precondition(
      magnitude.map { $0.rows == 1 && $0.columns == b.rows && $0.dtype == .f32 } ?? true,
      "magnitudes for \(b.rows) rows")
    self.a = a
    self.b = b
    self.magnitude = magnitude
    self.scale = scale
  }

  /// The rank r.
  public var rank: Int { a.rows }
  /// Rows of the matrix that is changed.
  public var rows: Int { b.rows }
  /// Columns of the matrix that is changed.
  public var columns: Int { a.columns }
}

/// An adapter as its files hold it: matrices by the names that tensors have in Facet.
public struct AdapterCheckpoint: Sendable {
  /// The forms of adapters that Facet reads.
  public enum Format: String, Sendable, Hashable, Codable, CaseIterable {
    /// A directory of PEFT: adapter_config.json and adapter_model.safetensors.
    case peft
    /// A directory of mlx-lm: adapter_config.json and adapters.safetensors.
    case mlx
    /// A GGUF file of the type "adapter", as llama.cpp reads it.
    case gguf
  }

  /// What the adapter says about itself.
  public var configuration: AdapterConfiguration
  /// The factors of every matrix that is changed.
  public var modules: [TensorName: AdapterMatrices]
  /// How the rows of queries and keys are laid out for rotary embedding.
  public var rotaryLayout: RotaryLayout
  /// The file or directory it came from; empty when it came from none.
  public var path: String
  /// What GGUF calls the architecture of the base model, where the file says it.
  public var architecture: String?
  /// The Jinja template of the chat format that the adapter teaches; nil: the model's own stays.
  public var chatTemplate: String?

  /// Joins a configuration and matrices.
  public init(
    configuration: AdapterConfiguration, modules: [TensorName: AdapterMatrices],
    rotaryLayout: RotaryLayout = .halfSplit, path: String = "", architecture: String? = nil
  ) {
    self.configuration = configuration
    self.modules = modules
    self.rotaryLayout = rotaryLayout
    self.path = path
    self.architecture = architecture
  }
}

extension AdapterCheckpoint {
  /// Opens the adapter at `path`, a directory or a file of one; its content decides its form.
  public static func open(path: String) throws(CheckpointError) -> AdapterCheckpoint {
    guard FileSystem.exists(path) else {
      throw CheckpointError(.notFound, "There is no adapter '\(path)'.")
    }
    guard !FileSystem.isDirectory(path) else { return try openDirectory(path) }
    let storage = try TensorStorage.mapped(path)
    if storage.startsWith(GGUFFile.magic) {
      return try GGUFAdapter.open(GGUFFile(storage: storage, path: path))
    }
    if SafetensorsFile.recognizes(storage) {
      return try openDirectory(FileSystem.split(path).directory)
    }
    throw CheckpointError(
      .unsupported,
      "'\(path)' is none of the adapters that Facet reads: a directory of PEFT or mlx-lm, a GGUF "
        + "adapter. If it should be one, it is cut short or damaged.")
  }

  private static func openDirectory(_ path: String) throws(CheckpointError) -> AdapterCheckpoint {
    let name = FileSystem.join(path, PEFTDirectory.configurationName)
    guard FileSystem.exists(name) else {
      throw CheckpointError(
        .notFound,
        "The directory '\(path)' has no \(PEFTDirectory.configurationName), so it is not an adapter."
      )
    }
    let root = try FileSystem.readJSON(name, limit: 1 << 24)
    if PEFTSettings.recognizes(root) { return try PEFTDirectory(path: path).open(root) }
    if MLXDirectory.recognizes(root) { return try MLXDirectory(path: path).open(root) }
    throw CheckpointError(
      .unsupported,
      "'\(name)' is neither a configuration of PEFT (no 'peft_type') nor of mlx-lm (no "
        + "'lora_parameters').")
  }
}
