// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

extension SchemaShape {
  /// Takes in one keyword of a schema; those that join schemas are left to the compiler.
  mutating func read(_ member: JSONObject.Member, at place: String) throws(GuideError) {
    switch member.key {
    case "type": types = try Self.types(member.value, place)
    case "enum":
      guard let list = member.value.array else { throw Self.wrong(place, "a list of values") }
      values = (values.map { values in list.filter { values.contains($0) } }) ?? list
    case "const":
      let known = values
      values = known.map { $0.filter { $0.isEqual(to: member.value) } } ?? [member.value]
    case "minLength", "maxLength", "pattern", "format": try readString(member, place)
    case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
      try readNumber(member, place)
    case "properties", "required", "additionalProperties", "minProperties", "maxProperties":
      try readObject(member, place)
    case "items", "prefixItems", "minItems", "maxItems", "uniqueItems":
      try readArray(member, place)
    default: break
    }
  }

  private static func wrong(_ place: String, _ what: String) -> GuideError {
    SchemaCompiler.refusal(place, "must be \(what).")
  }

  private static func types(_ value: JSON, _ place: String) throws(GuideError) -> SchemaTypes {
    var result: SchemaTypes = []
    for name in value.array ?? [value] {
      guard let type = name.string.flatMap(SchemaTypes.init(name:)) else {
        throw wrong(
          place,
          "null, boolean, integer, number, string, array or object, or a list of those names")
      }
      result.formUnion(type)
    }
    return result
  }

  private static func count(_ value: JSON, _ place: String) throws(GuideError) -> Int {
    guard let count = value.integer, count >= 0 else {
      throw wrong(place, "a whole number, 0 or more")
    }
    return count
  }

  private mutating func readString(
    _ member: JSONObject.Member, _ place: String
  ) throws(GuideError) {
    switch member.key {
    case "minLength": minLength = try Self.count(member.value, place)
    case "maxLength": maxLength = try Self.count(member.value, place)
    case "pattern":
      guard let pattern = member.value.string else { throw Self.wrong(place, "a text") }
      try add(pattern, place)
    default:
      guard let name = member.value.string else { throw Self.wrong(place, "a text") }
      guard let pattern = StringFormat.patterns[name] else {
        throw GuideError(
          "The schema's format '\(name)' at '\(place)' is not supported by guides; supported are "
            + StringFormat.patterns.keys.sorted().joined(separator: ", ") + ".")
      }
      try add(pattern, place)
    }
  }

  private mutating func add(_ pattern: String, _ place: String) throws(GuideError) {
    do throws(GuideError) {
      patterns.append(try RegularExpressionParser.parse(pattern))
      patternNames.append(pattern)
    } catch {
      throw GuideError("At '\(place)': \(error.message)")
    }
  }

  private mutating func readNumber(
    _ member: JSONObject.Member, _ place: String
  ) throws(GuideError) {
    guard member.value.number != nil else { throw Self.wrong(place, "a number") }
    if member.key == "multipleOf" {
      guard let multiple = member.value.integer, multiple > 0 else {
        throw SchemaCompiler.refusal(
          place,
          "is no whole number above 0; whether a number is a multiple of a fraction depends on "
            + "rounding, so guides refuse it. Use pattern on a string, or leave it out.")
      }
      return multiples.append(multiple)
    }
    let bound = Bound(
      value: member.value, isIncluded: member.key == "minimum" || member.key == "maximum",
      pointer: place)
    var other = SchemaShape()
    if member.key == "minimum" || member.key == "exclusiveMinimum" {
      other.low = bound
    } else {
      other.high = bound
    }
    if let merged = merged(with: other) {
      low = merged.low
      high = merged.high
    }
  }

  private mutating func readObject(
    _ member: JSONObject.Member, _ place: String
  ) throws(GuideError) {
    switch member.key {
    case "properties":
      properties = (member.value.object?.members ?? []).map { entry in
        Property(
          key: entry.key,
          schemas: [
            SchemaReference(
              schema: entry.value, pointer: place + "/" + SchemaKeywords.escape(entry.key))
          ])
      }
    case "required":
      let names = member.value.array?.map(\.string)
      guard let names, names.allSatisfy({ $0 != nil }) else {
        throw Self.wrong(place, "a list of names")
      }
      for case let name? in names where !required.contains(name) { required.append(name) }
    case "additionalProperties":
      additional = [SchemaReference(schema: member.value, pointer: place)]
    case "minProperties": minProperties = try Self.count(member.value, place)
    default: maxProperties = try Self.count(member.value, place)
    }
  }

  private mutating func readArray(
    _ member: JSONObject.Member, _ place: String
  ) throws(GuideError) {
    switch member.key {
    case "items": items = [SchemaReference(schema: member.value, pointer: place)]
    case "prefixItems":
      prefix = (member.value.array ?? []).enumerated().map { index, schema in
        [SchemaReference(schema: schema, pointer: "\(place)/\(index)")]
      }
    case "minItems": minItems = try Self.count(member.value, place)
    case "maxItems": maxItems = try Self.count(member.value, place)
    default:
      guard let isUnique = member.value.bool else { throw Self.wrong(place, "true or false") }
      guard !isUnique else {
        throw GuideError(
          "The schema's keyword 'uniqueItems' at '\(place)' is not supported by guides, since it looks "
            + "back on all items. Leave it out.")
      }
    }
  }
}

/// The formats of strings that guides know, as regular expressions: what they match is always of the
/// format, though not everything of the format matches.
enum StringFormat {
  static let patterns: [String: String] = [
    "date": "^\(date)$",
    "time": "^\(time)$",
    "date-time": "^\(date)T\(time)$",
    "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "email": "^\(atom)(\\.\(atom)){0,3}@\(host)$",
    "ipv4": "^\(byte)(\\.\(byte)){3}$",
    "ipv6": "^(\(group)(:\(group)){7}|(\(group)(:\(group)){0,5})?::|::\(group)(:\(group)){0,5})$",
    "uri": "^[a-z][a-z0-9+.-]{0,15}://\(host)(:[1-9][0-9]{0,3})?(/\(path){0,64}){0,16}"
      + "(\\?\(query){0,256})?(#\(query){0,64})?$",
  ]

  // The 29th of February needs the year: it is left out.
  private static let date =
    "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    + "|02-(0[1-9]|1[0-9]|2[0-8]))"
  private static let time =
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
  private static let atom = "[A-Za-z0-9_+-]{1,32}"
  private static let label = "[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
  private static let host = "\(label)(\\.\(label)){1,4}"
  private static let byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
  private static let group = "[0-9a-fA-F]{1,4}"
  private static let path = "[A-Za-z0-9._~!$&'()*+,;=:@-]"
  private static let query = "[A-Za-z0-9._~!$&'()*+,;=:@/?-]"
}
