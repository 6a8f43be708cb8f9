// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGuides
import Foundation

/// Something that a model may have done for it while it answers.
///
/// ```swift
/// struct Weather: Tool {
///   struct Arguments: Decodable, Sendable { var city: String }
///   let name = "get_weather"
///   let description = "The weather of a city today."
///   func call(arguments: Arguments) async throws -> String { "sunny" }
/// }
/// ```
public protocol Tool: Sendable {
  /// What a call brings: its JSON is decoded as this type.
  associatedtype Arguments: Decodable & Sendable
  /// What the model is told: text as it is, other values as JSON.
  associatedtype Output: Encodable & Sendable

  /// Letters, digits, `_`, `-` and `.`, at most 64.
  var name: String { get }
  /// What it does and when it helps, for the model.
  var description: String { get }
  /// What arguments must look like; by default worked out from ``Arguments``.
  var parameters: Schema { get throws }
  /// Does it.
  ///
  /// Calls of one answer run side by side.
  func call(arguments: Arguments) async throws -> Output
}

extension Tool {
  /// The schema of ``Arguments``.
  public var parameters: Schema { get throws { try Schema(of: Arguments.self) } }

  /// The tool as a model is told of it.
  public var definition: ToolDefinition {
    get throws {
      ToolDefinition(name: name, description: description, parameters: try parameters.text)
    }
  }

  /// Runs the tool on JSON text.
  func run(_ call: ToolCall) async throws -> ToolResult {
    let arguments: Arguments
    do {
      arguments = try Schema.decode(Arguments.self, from: call.arguments)
    } catch {
      throw SessionError(
        .toolFailed(name: name),
        "The arguments of a call of '\(name)' are not what the tool takes: \(call.arguments). Its schema "
          + "and its type differ; give it the schema of the type.")
    }
    let output: Output
    do {
      output = try await self.call(arguments: arguments)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw SessionError(.toolFailed(name: name), "The tool '\(name)' failed: \(error)")
    }
    return ToolResult(id: call.id, name: name, content: try Self.text(of: output))
  }

  private static func text(of output: Output) throws -> String {
    if let text = output as? String { return text }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return String(decoding: try encoder.encode(output), as: UTF8.self)
  }
}

/// What becomes of a call that a model asks for.
public enum ToolDecision: Sendable, Hashable {
  /// It is run.
  case run
  /// It is run with other arguments, JSON text.
  case runWith(arguments: String)
  /// It is not run, and the model is told this instead of an answer.
  case deny(String)
}
