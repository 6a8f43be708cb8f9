// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// The pieces of a split GGUF file, named like `name-00001-of-00003.gguf`.
///
/// Only the first holds the metadata; each holds a directory of its own tensors.
enum GGUFSplit {
  /// All files that belong to `first`, in order; only itself when it is not split.
  static func files(first: GGUFFile) throws(CheckpointError) -> [GGUFFile] {
    guard let stated = first["split.count"], let count = stated.integer, count > 1 else {
      return [first]
    }
    guard count <= 99999, let stem = stem(first.path, count: count) else {
      throw CheckpointError(
        .malformed,
        "'\(first.path)' is one of \(stated.text) pieces; its name must end like "
          + "-00001-of-00002.gguf so that the others can be found.")
    }
    var files: [GGUFFile] = []
    for piece in 1...count {
      let path = path(stem: stem, piece: piece, count: count)
      let file = try path == first.path ? first : open(path, whole: first.path)
      guard file["split.count"]?.integer == count, file["split.no"]?.integer == piece - 1 else {
        throw CheckpointError(
          .malformed, "'\(path)' does not say that it is piece \(piece) of \(count).")
      }
      files.append(file)
    }
    try checkTensorCount(files)
    return files
  }

  private static func open(_ path: String, whole: String) throws(CheckpointError) -> GGUFFile {
    do {
      return try GGUFFile(storage: TensorStorage.mapped(path), path: path)
    } catch {
      guard error.code == .unreadable else { throw error }
      throw CheckpointError(
        .notFound, "'\(whole)' is one piece of a split model; another is missing: \(error.message)")
    }
  }

  private static func checkTensorCount(_ files: [GGUFFile]) throws(CheckpointError) {
    guard let stated = files[0]["split.tensors.count"]?.integer else { return }
    let found = files.reduce(0) { $0 + $1.tensors.count }
    guard stated == found else {
      throw CheckpointError(
        .malformed,
        "'\(files[0].path)' promises \(stated) tensors in all its pieces; they hold \(found).")
    }
  }

  /// What comes before `-00001-of-00003.gguf` in `path`, nil when it does not end like that.
  private static func stem(_ path: String, count: Int) -> String? {
    let tail = "-of-\(fiveDigits(count)).gguf"
    guard path.hasSuffix(tail) else { return nil }
    let head = path.dropLast(tail.count)
    let number = head.suffix(5)
    guard number.count == 5, number.allSatisfy(\.isNumber), head.dropLast(5).hasSuffix("-") else {
      return nil
    }
    return String(head.dropLast(6))
  }

  private static func path(stem: String, piece: Int, count: Int) -> String {
    "\(stem)-\(fiveDigits(piece))-of-\(fiveDigits(count)).gguf"
  }

  private static func fiveDigits(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}
