// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import Foundation

/// Reads results as lm-eval and Facet write them.
public struct ResultReader: Sendable {
  /// The file with the figures.
  public let path: String

  /// Finds the results at `path`: a file with figures, the folder that it is in, or the folder of
  /// that one; of several the newest.
  public init(_ path: String) throws(EvaluationError) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw EvaluationError(.unreadable, "There is nothing at '\(path)'.")
    }
    guard (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil else {
      self.path = path
      return
    }
    let here = Self.results(in: path)
    let below = Self.names(in: path).map { path + "/" + $0 }.filter {
      !Self.results(in: $0).isEmpty
    }
    if let newest = here.max() {
      self.path = path + "/" + newest
    } else if below.count == 1, let newest = Self.results(in: below[0]).max() {
      self.path = below[0] + "/" + newest
    } else if below.isEmpty {
      throw EvaluationError(.unreadable, "There is no file results_….json in '\(path)'.")
    } else {
      throw EvaluationError(
        .unreadable,
        "'\(path)' holds the results of several models; name one of their folders: "
          + below.sorted().joined(separator: ", ") + ".")
    }
  }

  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  private static func results(in folder: String) -> [String] {
    names(in: folder).filter { $0.hasPrefix("results_") && $0.hasSuffix(".json") }
  }

  /// Reads the figures, and the documents that lie beside them.
  public func read() throws(EvaluationError) -> EvaluationResult {
    let json = try Self.json(try Self.bytes(path), path)
    var result = try EvaluationResult(json: json, path: path)
    for index in result.tasks.indices {
      guard let file = samples(of: result.tasks[index].task) else { continue }
      result.tasks[index].documents = try Self.documents(file)
    }
    return result
  }

  /// The file with the documents of `task`; nil: they were not kept.
  private func samples(of task: String) -> String? {
    let folder =
      path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) : "."
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let stamp = name.dropFirst("results_".count).dropLast(".json".count)
    let prefix = "samples_\(task.replacing("/", with: "__"))_"
    let same = "\(prefix)\(stamp).jsonl"
    let all = Self.names(in: folder)
    if all.contains(same) { return folder + "/" + same }
    // lm-eval's figures may have been given another name; then the newest documents count.
    let others = all.filter { name in
      let rest = name.dropFirst(prefix.count)
      return name.hasPrefix(prefix) && name.hasSuffix(".jsonl") && rest.first?.isNumber == true
        && !rest.contains("_")
    }
    return others.max().map { folder + "/" + $0 }
  }

  private static func documents(_ file: String) throws(EvaluationError) -> [DocumentScore] {
    var documents: [DocumentScore] = []
    var places: [Int: Int] = [:]
    let lines = try bytes(file).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() where !line.isEmpty {
      let place = "\(file), line \(number + 1)"
      let document = try DocumentScore(json: try json(Array(line), place), place: place)
      if let known = places[document.index] {
        documents[known].verdicts += document.verdicts
      } else {
        places[document.index] = documents.count
        documents.append(document)
      }
    }
    return documents
  }

  private static func bytes(_ path: String) throws(EvaluationError) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw EvaluationError(.unreadable, "Cannot read '\(path)'.")
    }
    return [UInt8](data)
  }

  private static func json(_ bytes: [UInt8], _ path: String) throws(EvaluationError) -> JSON {
    do throws(JSONError) {
      return try JSONReader.read(bytes, path: path, numbers: .python)
    } catch {
      throw EvaluationError(.unreadable, error.message)
    }
  }
}
