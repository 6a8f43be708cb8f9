// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
import FacetModel
import FacetTensor
public import FacetTokenizer

/// What a model is, for people: `facet show` prints it.
public struct ModelCard: Sendable, Hashable, Codable {
  /// The name that its files give, or that of its architecture.
  public var name: String
  /// `gemma3`, `llama` …, as its files say.
  public var architecture: String
  /// The file or directory.
  public var path: String
  /// The kind of file.
  public var format: Checkpoint.Format
  /// Numbers in the tensors; tied matrices count once.
  public var parameterCount: Int
  /// Bytes of the weights' files.
  public var byteCount: Int
  /// Bytes of the tensors by type, the largest first.
  public var dtypes: [DTypeShare]
  /// The longest text that the model was made for, in tokens.
  public var contextLength: Int
  /// The format of conversations; nil for a base model.
  public var chatFormat: ChatFormat?

  /// How much of a model is stored as one type.
  public struct DTypeShare: Sendable, Hashable, Codable {
    /// The type, such as `q4_0`.
    public var dtype: String
    /// Tensors of it.
    public var tensors: Int
    /// Their bytes.
    public var bytes: Int
  }

  /// Describes an open checkpoint; of its weights only the directory is read.
  public init(_ checkpoint: Checkpoint) throws {
    let architecture = checkpoint.architecture
    let chatFormat = ChatFormat.recognize(
      architecture: architecture.architecture, template: checkpoint.chatTemplate,
      tokenizer: try Tokenizer(checkpoint), name: architecture.name)
    self.init(checkpoint, try ModelConfiguration(architecture), chatFormat: chatFormat)
  }

  init(
    _ checkpoint: Checkpoint, _ configuration: ModelConfiguration, chatFormat: ChatFormat?
  ) {
    name = checkpoint.architecture.name ?? configuration.name
    architecture = checkpoint.architecture.architecture
    path = checkpoint.path
    format = checkpoint.format
    byteCount = checkpoint.byteCount
    contextLength = configuration.contextLength
    self.chatFormat = chatFormat
    parameterCount = checkpoint.tensors.values.reduce(0) { $0 + $1.count }
    var shares: [String: DTypeShare] = [:]
    for tensor in checkpoint.tensors.values {
      let name = "\(tensor.dtype)"
      var share = shares[name] ?? DTypeShare(dtype: name, tensors: 0, bytes: 0)
      share.tensors += 1
      share.bytes += tensor.byteCount
      shares[name] = share
    }
    dtypes = shares.values.sorted { ($1.bytes, $0.dtype) < ($0.bytes, $1.dtype) }
  }
}
