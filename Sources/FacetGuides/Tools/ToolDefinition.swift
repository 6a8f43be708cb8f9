// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// A function that a model may ask for.
public struct ToolDefinition: Sendable, Hashable, Codable {
  /// Its name: letters, digits, `_`, `-` and `.`, at most 64, a letter or `_` first.
  public var name: String
  /// What it does and when it helps, for the model.
  public var description: String
  /// The JSON Schema of its arguments, which are an object; docs/guided-generation.md says what of it is
  /// supported.
  public var parameters: String

  /// A function of `parameters`, by default none.
  public init(
    name: String, description: String = "", parameters: String = ToolDefinition.noParameters
  ) {
    self.name = name
    self.description = description
    self.parameters = parameters
  }

  /// The schema of an object without members.
  public static let noParameters =
    #"{"type": "object", "properties": {}, "additionalProperties": false}"#

  /// Refuses a name or a schema that cannot be used, with a sentence that names the tool.
  public func validate() throws(GuideError) { _ = try argumentsGrammar() }

  /// The grammar of the arguments.
  func argumentsGrammar(_ form: ValueForm = .json) throws(GuideError) -> Grammar {
    try checkName()
    do {
      return try SchemaCompiler.grammar(try schema().text, form: form)
    } catch {
      throw GuideError("The tool '\(name)': \(error.message)")
    }
  }

  /// The schema, which says that the arguments are an object; without properties there is nothing in it.
  package func schema() throws(GuideError) -> JSON {
    let value: JSON
    do {
      value = try JSONReader.read(Array(parameters.utf8), path: "the schema of its parameters")
    } catch {
      throw GuideError(error.message)
    }
    guard case .object(let object) = value, object["type"] ?? .string("object") == .string("object")
    else {
      throw GuideError("The schema of its parameters must be of type 'object'.")
    }
    var result = JSONObject()
    if object["type"] == nil { _ = result.append("type", .string("object")) }
    for member in object.members { _ = result.append(member.key, member.value) }
    if object["properties"]?.object?.members.isEmpty == true {
      _ = result.append("additionalProperties", .bool(false))
    }
    return .object(result)
  }

  private func checkName() throws(GuideError) {
    let bytes = Array(name.utf8)
    func isLetter(_ byte: UInt8) -> Bool {
      byte == 0x5F || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    func isRest(_ byte: UInt8) -> Bool {
      isLetter(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E
    }
    guard let first = bytes.first, isLetter(first), bytes.allSatisfy(isRest), bytes.count <= 64
    else {
      throw GuideError(
        "The name of the tool '\(name)' must have 1 to 64 letters, digits, '_', '-' or '.', and begin "
          + "with a letter or '_'.")
    }
  }

  /// The definition as chat formats show it to the model.
  func text() throws(GuideError) -> String {
    var function = JSONObject()
    _ = function.append("name", .string(name))
    _ = function.append("description", .string(description))
    _ = function.append("parameters", try schema())
    var result = JSONObject()
    _ = result.append("type", .string("function"))
    _ = result.append("function", .object(function))
    return String(decoding: JSONForm.text(.object(result)), as: UTF8.self)
  }
}

/// A model's request to run a tool.
public struct ToolCall: Sendable, Hashable, Codable {
  /// Tells the call from others of the conversation.
  public var id: String
  /// The tool's name.
  public var name: String
  /// The arguments: a JSON object that holds to the tool's schema.
  public var arguments: String

  /// Makes a call; without an `id`, a random one.
  public init(id: String = ToolCall.randomID(), name: String, arguments: String) {
    self.id = id
    self.name = name
    self.arguments = arguments
  }

  /// Nine letters and digits, which is what Mistral's models were taught.
  public static func randomID() -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    return String((0..<9).map { _ in alphabet[Int.random(in: alphabet.indices)] })
  }
}

/// What a tool answered.
public struct ToolResult: Sendable, Hashable, Codable {
  /// The call that it answers.
  public var id: String
  /// The tool's name.
  public var name: String
  /// The answer, text or JSON.
  public var content: String

  /// Answers a call.
  public init(id: String, name: String, content: String) {
    self.id = id
    self.name = name
    self.content = content
  }
}

/// Whether a model may call tools.
public enum ToolChoice: Sendable, Hashable, Codable {
  /// As it sees fit.
  case auto
  /// It must.
  case required
  /// It must not.
  case none
  /// It must call this one.
  case named(String)
}

/// How many calls an answer may have.
public enum ToolCallCount: String, Sendable, Hashable, Codable {
  /// One.
  case one
  /// One or more.
  case several
}
