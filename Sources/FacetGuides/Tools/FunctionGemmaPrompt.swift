// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
package import FacetTokenizer

/// A conversation with tools as FunctionGemma reads it.
package typealias FunctionGemmaPrompt = MarkedToolPrompt<FunctionGemmaDialect>

/// FunctionGemma's declarations, calls and answers; declarations stand in a turn of the developer.
package enum FunctionGemmaDialect: ToolDialect {
  package static let turn = (begin: "<start_of_turn>", end: "<end_of_turn>")
  package static let instructor = "developer"
  /// What FunctionGemma was told in training when nobody else gives instructions.
  package static let instructions =
    "You are a model that can do function calling with the following functions"
  package static let declaration = (
    begin: "<start_function_declaration>", end: "<end_function_declaration>"
  )
  package static let call = (begin: GuideMark.startCall.name, end: GuideMark.endCall.name)
  package static let response = (
    begin: GuideMark.startResponse.name, end: "<end_function_response>"
  )
  package static let silence: [ChatFormat.Part] = []

  package static func said(_ text: String) -> String { ChatFormat.trim(text) }

  package static func declared(_ tool: ToolDefinition) throws(GuideError) -> [UInt8] {
    var declaration = JSONObject()
    _ = declaration.append("description", .string(tool.description))
    _ = declaration.append("parameters", declared(try tool.schema()))
    return ValueForm.functionGemma.text(.object(declaration))
  }

  /// A schema as declarations show it: names in alphabetical order, types in capitals.
  private static func declared(_ schema: JSON) -> JSON {
    guard case .object(let object) = schema else { return schema }
    var result = JSONObject()
    for member in object.members.sorted(by: { $0.key < $1.key })
    where member.key != "additionalProperties" {
      if member.key == "type", let type = member.value.string {
        _ = result.append("type", .string(type.uppercased()))
      } else {
        _ = result.append(member.key, declared(member.value))
      }
    }
    return .object(result)
  }

  /// An object as it is; anything else as the one member of one.
  package static func written(_ text: String) -> [UInt8] {
    let value = (try? JSONReader.read(Array(text.utf8), path: "")) ?? .string(text)
    if case .object = value { return ValueForm.functionGemma.text(value) }
    var object = JSONObject()
    _ = object.append("value", value)
    return ValueForm.functionGemma.text(.object(object))
  }
}
