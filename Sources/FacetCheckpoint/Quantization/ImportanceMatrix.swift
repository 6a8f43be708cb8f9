// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// How strongly the columns of each matrix are used: sums of squared inputs over a text.
///
/// The file is llama.cpp's: GGUF of the type "imatrix" with two F32 tensors for each matrix, `.in_sum2`
/// [columns] and `.counts` [1].
public struct ImportanceMatrix: Sendable, Hashable {
  /// The statistics of one matrix.
  public struct Entry: Sendable, Hashable {
    /// Σ x² for each column.
    public var sums: [Float]
    /// Inputs that were summed.
    public var count: Float

    /// Makes an entry.
    public init(sums: [Float], count: Float) {
      self.sums = sums
      self.count = count
    }
  }

  /// The statistics by the names that matrices have in GGUF files.
  public var entries: [String: Entry]
  /// The texts that were read.
  public var datasets: [String]
  /// Chunks of text that were read.
  public var chunkCount: Int
  /// Tokens of a chunk.
  public var chunkSize: Int

  /// Makes a matrix.
  public init(
    entries: [String: Entry], datasets: [String] = [], chunkCount: Int = 0, chunkSize: Int = 0
  ) {
    self.entries = entries
    self.datasets = datasets
    self.chunkCount = chunkCount
    self.chunkSize = chunkSize
  }

  /// The statistics of the matrix `name`.
  public subscript(name: TensorName) -> Entry? {
    get { entries[GGUFNames.string(name)] }
    set { entries[GGUFNames.string(name)] = newValue }
  }

  /// The mean square of the inputs in each column of the matrix `name`; nil when nothing is known.
  func columns(of name: String, expected columns: Int) throws(CheckpointError) -> [Float]? {
    guard let entry = entries[name], entry.count > 0 else { return nil }
    guard entry.sums.count == columns else {
      throw CheckpointError(
        .wrongShape,
        "The importance of '\(name)' has \(entry.sums.count) columns, the matrix \(columns). They do "
          + "not belong to the same model.")
    }
    return entry.sums.map { $0 / entry.count }
  }
}

extension ImportanceMatrix {
  private static let sumsSuffix = ".in_sum2"
  private static let countsSuffix = ".counts"

  /// Reads the file at `path`.
  public static func read(_ path: String) throws(CheckpointError) -> ImportanceMatrix {
    guard FileSystem.exists(path) else {
      throw CheckpointError(.notFound, "There is no file '\(path)'.")
    }
    let storage = try TensorStorage.mapped(path)
    guard storage.startsWith(GGUFFile.magic) else {
      throw CheckpointError(
        .unsupported,
        "'\(path)' is no importance matrix in GGUF form. Make one with 'facet importance'.")
    }
    let file = try GGUFFile(storage: storage, path: path)
    guard file.text("general.type") == "imatrix" else {
      throw CheckpointError(
        .unsupported, "'\(path)' is a GGUF file, but no importance matrix (general.type imatrix).")
    }
    var result = ImportanceMatrix(
      entries: [:], chunkCount: file["imatrix.chunk_count"]?.integer ?? 0,
      chunkSize: file["imatrix.chunk_size"]?.integer ?? 0)
    result.datasets = try file.strings("imatrix.datasets")
    let counts = Dictionary(
      file.tensors.filter { $0.name.hasSuffix(countsSuffix) }.map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
    for tensor in file.tensors where tensor.name.hasSuffix(sumsSuffix) {
      let name = String(tensor.name.dropLast(sumsSuffix.count))
      guard let count = counts[name + countsSuffix] else {
        throw CheckpointError(
          .malformed, "'\(path)' has sums for '\(name)' but no counts. Make it again.")
      }
      let sums = try numbers(tensor, in: file)
      let total = try numbers(count, in: file)
      guard total.count == 1, total[0].isFinite, total[0] >= 0,
        sums.allSatisfy({ $0.isFinite && $0 >= 0 })
      else {
        throw CheckpointError(
          .malformed,
          "The importance of '\(name)' in '\(path)' is not one count and sums of squares. Make it "
            + "again.")
      }
      result.entries[name] = Entry(sums: sums, count: total[0])
    }
    guard !result.entries.isEmpty else {
      throw CheckpointError(.malformed, "'\(path)' is an importance matrix without entries.")
    }
    return result
  }

  private static func numbers(
    _ tensor: GGUFTensor, in file: GGUFFile
  ) throws(CheckpointError) -> [Float] {
    guard tensor.typeID == DType.f32.rawValue else {
      throw CheckpointError(.malformed, "'\(tensor.name)' of '\(file.path)' is not F32.")
    }
    var cursor = ByteCursor(file.storage.bytes, path: file.path, at: tensor.offset)
    var result: [Float] = []
    // The file's directory was checked: the product fits, and the data lies in the file.
    for _ in 0..<tensor.shape.reduce(1, *) { result.append(try cursor.float("A sum")) }
    return result
  }

  /// Writes the file; nothing is at `path` until it is complete.
  public func write(to path: String) throws(CheckpointError) {
    var writer = GGUFWriter()
    writer.set("general.type", .string("imatrix"))
    writer.set("imatrix.datasets", .strings(datasets))
    writer.set("imatrix.chunk_count", .uint32(UInt32(clamping: chunkCount)))
    writer.set("imatrix.chunk_size", .uint32(UInt32(clamping: chunkSize)))
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      try writer.add(name + Self.sumsSuffix, .f32, values: entry.sums)
      try writer.add(name + Self.countsSuffix, .f32, values: [entry.count])
    }
    try writer.write(to: path)
  }
}

extension GGUFFile {
  /// The strings of the array `key`; none when there is no such array.
  fileprivate func strings(_ key: String) throws(CheckpointError) -> [String] {
    guard case .array(let array) = self[key], array.element == .string else { return [] }
    var cursor = ByteCursor(storage.bytes, path: path, at: array.offset)
    var result: [String] = []
    for _ in 0..<array.count {
      let length = try cursor.count("The length of a string", bytesEach: 1)
      result.append(try cursor.string(length, "A string"))
    }
    return result
  }
}

extension GGUFWriter {
  /// Adds a vector of f32.
  fileprivate mutating func add(
    _ name: String, _ dtype: DType, values: [Float]
  ) throws(CheckpointError) {
    let tensor = try CheckpointError.wrapping { () throws(TensorError) in
      try Tensor.vector(values)
    }
    try add(name, dtype, shape: [values.count], .tensor(tensor))
  }
}
