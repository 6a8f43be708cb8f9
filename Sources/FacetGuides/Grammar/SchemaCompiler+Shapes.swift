// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

extension SchemaCompiler {
  /// Schemas in schemas that are put together at most.
  private static var mostDepth: Int { 48 }
  /// Readings of a schema at most.
  private static var mostShapes: Int { 256 }

  /// The readings of all of `schemas` at once.
  func shapes(_ schemas: [SchemaReference], depth: Int = 0) throws(GuideError) -> [SchemaShape] {
    var result = [SchemaShape()]
    result[0].pointer = schemas.first?.pointer ?? "#"
    for schema in schemas {
      result = try cross(result, try shapes(schema, depth: depth + 1), schema)
    }
    return result
  }

  /// The readings of `schema`.
  private func shapes(
    _ schema: SchemaReference, depth: Int
  ) throws(GuideError) -> [SchemaShape] {
    guard depth < Self.mostDepth else {
      throw Self.refusal(
        schema.pointer,
        "refers to itself beside other keywords, or nests allOf, anyOf and oneOf too deeply. Let "
          + "references stand alone.")
    }
    guard let object = schema.schema.object else {
      var shape = SchemaShape()
      shape.pointer = schema.pointer
      return schema.schema == .bool(false) ? [] : [shape]
    }
    var own = SchemaShape()
    own.pointer = schema.pointer
    for member in object.members {
      try own.read(member, at: schema.pointer + "/" + SchemaKeywords.escape(member.key))
    }
    var result = own.types.isEmpty ? [] : [own]
    if object["$ref"] != nil {
      result = try cross(result, try shapes(try resolve(schema), depth: depth + 1), schema)
    }
    for branch in try branches(schema, "allOf") {
      result = try cross(result, try shapes(branch, depth: depth + 1), schema)
    }
    for key in ["anyOf", "oneOf"] where object[key] != nil {
      if key == "oneOf" { try checkDisjoint(schema, depth: depth) }
      var choices: [SchemaShape] = []
      for branch in try branches(schema, key) {
        choices += try shapes(branch, depth: depth + 1)
      }
      result = try cross(result, choices, schema)
    }
    return result
  }

  private func cross(
    _ left: [SchemaShape], _ right: [SchemaShape], _ schema: SchemaReference
  ) throws(GuideError) -> [SchemaShape] {
    guard left.count * right.count <= Self.mostShapes else {
      throw Self.refusal(
        schema.pointer, "has more than \(Self.mostShapes) combinations of choices. Make it smaller."
      )
    }
    return left.flatMap { one in right.compactMap { one.merged(with: $0) } }
  }

  /// The schemas in the list under `key`.
  func branches(
    _ schema: SchemaReference, _ key: String
  ) throws(GuideError) -> [SchemaReference] {
    (schema.schema[key]?.array ?? []).enumerated().map { index, branch in
      SchemaReference(schema: branch, pointer: "\(schema.pointer)/\(key)/\(index)")
    }
  }

  /// What the schema's `$ref` names.
  func resolve(_ schema: SchemaReference) throws(GuideError) -> SchemaReference {
    let place = schema.pointer + "/$ref"
    guard let reference = schema.schema["$ref"]?.string else {
      throw Self.refusal(place, "must be a text.")
    }
    guard reference == "#" || reference.hasPrefix("#/") else {
      throw Self.refusal(
        place,
        "refers to '\(reference)'; guides follow only references inside the document, such as "
          + "'#/$defs/name'.")
    }
    var value = document
    for part in reference.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
      .dropFirst()
    {
      guard let key = SchemaKeywords.unescape(part) else {
        throw Self.refusal(place, "refers to '\(reference)', which is malformed.")
      }
      let next: JSON?
      if let array = value.array {
        next = Int(key).flatMap { array.indices.contains($0) ? array[$0] : nil }
      } else {
        next = value.object?[key]
      }
      guard let next else {
        throw Self.refusal(place, "refers to '\(reference)', which is not there.")
      }
      value = next
    }
    try SchemaKeywords.check(value, reference)
    return SchemaReference(schema: value, pointer: reference)
  }
}

// MARK: - oneOf

extension SchemaCompiler {
  /// Refuses a `oneOf` unless no value can hold to two of its schemas.
  func checkDisjoint(_ schema: SchemaReference, depth: Int = 0) throws(GuideError) {
    let branches = try branches(schema, "oneOf")
    guard branches.count > 1 else { return }
    var readings: [[SchemaShape]] = []
    for branch in branches { readings.append(try shapes(branch, depth: depth + 1)) }
    for right in readings.indices {
      for left in 0..<right {
        for one in readings[left] {
          for other in readings[right] where !areDisjoint(one, other, depth: depth + 1) {
            throw Self.refusal(
              schema.pointer + "/oneOf",
              "has schemas \(left) and \(right), which a value may hold to both as far as can be told. "
                + "Use anyOf, or tell them apart by a required property with its own const.")
          }
        }
      }
    }
  }

  /// Whether it is certain that no value has both shapes.
  private func areDisjoint(_ one: SchemaShape, _ other: SchemaShape, depth: Int) -> Bool {
    if let left = one.values, let right = other.values {
      return !left.contains { value in right.contains { value.isEqual(to: $0) } }
    }
    func types(_ shape: SchemaShape) -> SchemaTypes {
      guard let values = shape.values else { return shape.types }
      let listed = values.reduce(SchemaTypes()) { $0.union(SchemaTypes(of: $1)) }
      return shape.types.intersection(listed)
    }
    let shared = types(one).intersection(types(other))
    if shared.isEmpty { return true }
    if !shared.isDisjoint(with: [.null, .boolean]) { return false }
    func apart(_ leftMin: Int, _ leftMax: Int?, _ rightMin: Int, _ rightMax: Int?) -> Bool {
      leftMax.map { $0 < rightMin } ?? false || rightMax.map { $0 < leftMin } ?? false
    }
    if shared.contains(.string),
      !apart(one.minLength, one.maxLength, other.minLength, other.maxLength)
    {
      return false
    }
    if shared.contains(.array), !apart(one.minItems, one.maxItems, other.minItems, other.maxItems) {
      return false
    }
    if !shared.isDisjoint(with: .number), !areApart(one.high, other.low),
      !areApart(other.high, one.low)
    {
      return false
    }
    return !shared.contains(.object) || objectsAreDisjoint(one, other, depth: depth)
  }

  private func areApart(_ high: SchemaShape.Bound?, _ low: SchemaShape.Bound?) -> Bool {
    guard let high, let low else { return false }
    return high.number < low.number
      || (high.number == low.number && !(high.isIncluded && low.isIncluded))
  }

  private func objectsAreDisjoint(_ one: SchemaShape, _ other: SchemaShape, depth: Int) -> Bool {
    if one.required.contains(where: other.forbids) || other.required.contains(where: one.forbids) {
      return true
    }
    guard depth < 8 else { return false }
    return one.required.contains { key in
      guard other.required.contains(key),
        let left = try? shapes(one.schemas(under: key), depth: depth),
        let right = try? shapes(other.schemas(under: key), depth: depth)
      else { return false }
      return left.allSatisfy { shape in
        right.allSatisfy { areDisjoint(shape, $0, depth: depth + 1) }
      }
    }
  }
}
