// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

extension SchemaProbe {
  /// The schema that `outline` gives `type`, and some value of the type where one can be made.
  func schema(
    of type: any Decodable.Type, _ outline: GenerationOutline
  ) throws -> (schema: JSON, value: Any?) {
    let found: (schema: JSON, value: Any?)
    switch outline.form {
    case .decoded: found = try decoded(type)
    case .object(let members):
      // Within what is being asked: a type that holds itself has no end here either.
      let sample = try? type.init(from: ProbingDecoder(SchemaProbe(asked: asked), type))
      found = (try object(members), sample)
    case .choices(let values):
      guard let first = values.first else { throw Self.refusal(type, "has no cases") }
      found = (Self.object(["enum": .array(values)]), try? Schema.decode(type, from: first.text))
    case .alternatives(let alternatives):
      guard !alternatives.isEmpty else { throw Self.refusal(type, "has no cases") }
      found = (try any(of: alternatives), nil)
    }
    guard let description = outline.description else { return found }
    return (found.schema.adding("description", .string(description)), found.value)
  }

  private func any(of alternatives: [GenerationOutline.Alternative]) throws -> JSON {
    let forms = try alternatives.map { form in
      Self.object([
        "type": .string("object"),
        "properties": Self.object([form.name: try object(form.members)]),
        "required": .array([.string(form.name)]), "additionalProperties": .bool(false),
      ])
    }
    return Self.object(["anyOf": .array(forms)])
  }

  private func object(_ members: [GenerationOutline.Member]) throws -> JSON {
    var properties = JSONObject()
    for member in members {
      var schema = try schema(of: member.type).schema
      for constraint in member.constraints { schema = constraint.applied(to: schema) }
      if let description = member.description {
        schema = schema.adding("description", .string(description))
      }
      _ = properties.append(member.name, schema)
    }
    return Self.object([
      "type": .string("object"), "properties": .object(properties),
      "required": .array(members.filter { !$0.isOptional }.map { .string($0.name) }),
      "additionalProperties": .bool(false),
    ])
  }
}
