// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import Foundation
public import Logging

/// Writes the log as one JSON object a line, to standard error.
public struct JSONLogHandler: LogHandler {
  /// What of it is written.
  public var logLevel = Logger.Level.info
  /// Said with every line.
  public var metadata: Logger.Metadata = [:]
  private let label: String

  /// A handler of the logger called `label`.
  public init(label: String) { self.label = label }

  /// One of the metadata.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes a line.
  public func log(event: LogEvent) {
    FileHandle.standardError.write(
      Data((Self.line(event, label: label, metadata) + "\n").utf8))
  }

  static func line(_ event: LogEvent, label: String, _ metadata: Logger.Metadata) -> String {
    var object = JSONObject().adding([
      "time": .string(OllamaShapes.time(Date())), "level": .string(event.level.rawValue),
      "logger": .string(label), "message": .string("\(event.message)"),
    ])
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) {
      _ = object.append(key, .string("\(value)"))
    }
    return JSON.object(object).text
  }
}
