// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation

/// A chat as `/save` writes it and `/load` reads it.
struct ChatRecord: Codable, Equatable {
  /// The model it was held with.
  var model: String
  /// Instructions for the model.
  var system: String?
  /// The turns of an instruction-tuned model.
  var messages: [ChatMessage]
  /// The text of a base model.
  var text: String?

  func write(to path: String) throws {
    do {
      try Data((JSONText.page(self) + "\n").utf8).write(to: Self.url(path), options: .atomic)
    } catch {
      throw Failure("'\(path)' cannot be written; check that its directory exists and is yours.")
    }
  }

  static func read(_ path: String) throws -> ChatRecord {
    guard let data = try? Data(contentsOf: url(path)) else {
      throw Failure("'\(path)' cannot be read; check its name.")
    }
    guard let record = try? JSONDecoder().decode(ChatRecord.self, from: data) else {
      throw Failure("'\(path)' is not a chat that /save wrote.")
    }
    return record
  }

  private static func url(_ path: String) -> URL {
    URL(fileURLWithPath: path.hasPrefix("~/") ? NSHomeDirectory() + path.dropFirst() : path)
  }
}
