// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
package import FacetTokenizer

/// A conversation with tools as Gemma 4 reads it.
package typealias Gemma4ToolPrompt = MarkedToolPrompt<Gemma4Dialect>

/// Gemma 4's declarations, calls and answers; declarations stand behind the instructions in the system's turn.
///
/// The form is that of the 31B model's chat template, to the letter, with one exception: a parameter
/// called `type`, `description`, `properties`, `required` or `nullable` is declared like any other, where the
/// template leaves it out.
package enum Gemma4Dialect: ToolDialect {
  package static let turn = (begin: "<|turn>", end: "<turn|>")
  package static let instructor = "system"
  package static let instructions = ""
  package static let declaration = (begin: "<|tool>", end: "<tool|>")
  package static let call = (
    begin: GuideMark.gemma4StartCall.name, end: GuideMark.gemma4EndCall.name
  )
  package static let response = (
    begin: GuideMark.gemma4StartResponse.name, end: "<tool_response|>"
  )
  package static let silence = ChatFormat.gemma4Silence
  private static let form = ValueForm.gemma4

  package static func said(_ text: String) -> String { ChatFormat.withoutThoughts(text) }

  /// An object with its members in alphabetical order; anything else as the one member of one.
  package static func written(_ text: String) -> [UInt8] {
    let value = (try? JSONReader.read(Array(text.utf8), path: "")) ?? .string(text)
    guard case .object = value else { return Array("{value:".utf8) + form.text(value) + [0x7D] }
    return form.text(sorted(value))
  }

  private static func sorted(_ value: JSON) -> JSON {
    switch value {
    case .array(let values): return .array(values.map(sorted))
    case .object(let object):
      var result = JSONObject()
      for member in alphabetical(object) { _ = result.append(member.key, sorted(member.value)) }
      return .object(result)
    default: return value
    }
  }

  /// As Jinja's `dictsort` has it: capitals count as small letters.
  private static func alphabetical(_ object: JSONObject) -> [(key: String, value: JSON)] {
    // The standard library's sort keeps equal names in their order.
    object.members.map { (key: $0.key, value: $0.value) }
      .sorted { $0.key.lowercased() < $1.key.lowercased() }
  }
}

// MARK: - Declarations

extension Gemma4Dialect {
  package static func declared(_ tool: ToolDefinition) throws(GuideError) -> [UInt8] {
    let schema = try tool.schema()
    var parameters: [[UInt8]] = []
    if let properties = schema["properties"]?.object, !properties.members.isEmpty {
      parameters.append(Array("properties:{".utf8) + fields(properties) + [0x7D])
    }
    parameters += required(schema)
    if let type = type(schema["type"]) { parameters.append(type) }
    return Array("{description:".utf8) + quoted(tool.description)
      + Array(",parameters:{".utf8) + Array(parameters.joined(separator: [0x2C])) + Array("}}".utf8)
  }

  private static func fields(_ properties: JSONObject) -> [UInt8] {
    Array(alphabetical(properties).map { field($0, $1) }.joined(separator: [0x2C]))
  }

  /// One parameter: description, what belongs to its type, and the type.
  ///
  /// The template puts a comma before what belongs to objects and arrays whether or not something stands
  /// before it, and none behind it unless there is a description.
  private static func field(_ name: String, _ schema: JSON) -> [UInt8] {
    var text = Array("\(name):{".utf8)
    var needsComma = false
    func add(_ part: [UInt8]) {
      text += (needsComma ? [0x2C] : []) + part
      needsComma = true
    }
    if let description = schema["description"]?.string, !description.isEmpty {
      add(Array("description:".utf8) + quoted(description))
    }
    if schema["nullable"] == .bool(true) { add(Array("nullable:true".utf8)) }
    switch schema["type"]?.string {
    case "string":
      if let values = schema["enum"]?.array, !values.isEmpty {
        add(Array("enum:".utf8) + argument(.array(values)))
      }
    case "object":
      let properties = schema["properties"]?.object ?? JSONObject()
      text += Array(",properties:{".utf8) + fields(properties) + [0x7D]
      text += required(schema).flatMap { [0x2C] + $0 }
    case "array":
      if let items = schema["items"]?.object, !items.members.isEmpty {
        let members = alphabetical(items).map { item($0, $1) }
        text += Array(",items:{".utf8) + Array(members.joined(separator: [0x2C])) + [0x7D]
      }
    default: break
    }
    if let type = type(schema["type"]) { add(type) }
    return text + [0x7D]
  }

  private static func item(_ name: String, _ value: JSON) -> [UInt8] {
    switch (name, value) {
    case ("properties", .object(let properties)):
      return Array("properties:{".utf8) + fields(properties) + [0x7D]
    case ("required", .array(let names)): return list("required", names)
    case ("type", _): return type(value) ?? []
    default: return Array("\(name):".utf8) + argument(value)
    }
  }

  private static func required(_ schema: JSON) -> [[UInt8]] {
    guard let names = schema["required"]?.array, !names.isEmpty else { return [] }
    return [list("required", names)]
  }

  private static func list(_ name: String, _ values: [JSON]) -> [UInt8] {
    Array("\(name):".utf8) + argument(.array(values))
  }

  /// `type:<|"|>STRING<|"|>`, or a list of them.
  private static func type(_ type: JSON?) -> [UInt8]? {
    guard let type else { return nil }
    let capitals: JSON =
      switch type {
      case .string(let name): .string(name.uppercased())
      case .array(let names): .array(names.map { .string($0.string?.uppercased() ?? "") })
      default: type
      }
    return Array("type:".utf8) + argument(capitals)
  }

  /// A value inside a declaration: there names are between control tokens too.
  private static func argument(_ value: JSON) -> [UInt8] {
    switch value {
    case .array(let values):
      return [0x5B] + Array(values.map(argument).joined(separator: [0x2C])) + [0x5D]
    case .object(let object):
      let members = alphabetical(object).map { quoted($0) + [0x3A] + argument($1) }
      return [0x7B] + Array(members.joined(separator: [0x2C])) + [0x7D]
    default: return form.text(value)
    }
  }

  private static func quoted(_ text: String) -> [UInt8] { form.text(.string(text)) }
}
