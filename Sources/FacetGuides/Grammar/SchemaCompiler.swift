// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// Turns a JSON Schema into a grammar of the JSON texts that it allows.
///
/// What the grammar allows is always valid; the reverse holds up to the form of the text (JSONForm, the
/// order of properties) and to what docs/guided-generation.md says is left out.
struct SchemaCompiler {
  let document: JSON
  /// How values are written.
  let form: ValueForm
  private(set) var grammar = Grammar(rules: [], root: 0)
  /// Rules by the schemas that they stand for.
  private var rules: [[SchemaReference]: Int] = [:]
  private var shared: [GrammarExpression: Int] = [:]
  private var pending: [(rule: Int, schemas: [SchemaReference])] = []

  /// Rules at most.
  private static let mostRules = 20_000

  /// The grammar of the schema in `text`.
  static func grammar(
    _ text: String, form: ValueForm = .json
  ) throws(GuideError) -> Grammar {
    let document: JSON
    do {
      document = try JSONReader.read(Array(text.utf8), path: "the schema")
    } catch {
      throw GuideError(error.message)
    }
    var compiler = SchemaCompiler(document: document, form: form)
    return try compiler.compile()
  }

  private init(document: JSON, form: ValueForm) {
    self.document = document
    self.form = form
  }

  private mutating func compile() throws(GuideError) -> Grammar {
    try SchemaKeywords.check(document)
    grammar.root = try rule([SchemaReference(schema: document, pointer: "#")])
    while let (rule, schemas) = pending.popLast() {
      grammar.rules[rule].expression = try expression(schemas)
    }
    return grammar
  }

  static func refusal(_ pointer: String, _ what: String) -> GuideError {
    GuideError("The schema at '\(pointer)' \(what)")
  }

  /// The rule of values that hold to all of `schemas`; none: any value.
  mutating func rule(_ schemas: [SchemaReference]) throws(GuideError) -> Int {
    let schemas = schemas.filter { $0.schema != .bool(true) }
    if let known = rules[schemas] { return known }
    guard grammar.rules.count < Self.mostRules else {
      throw GuideError("The schema takes more than \(Self.mostRules) rules. Make it smaller.")
    }
    let name = schemas.map(\.pointer).joined(separator: " and ")
    let rule = grammar.add(name.isEmpty ? "any value" : name, .nothing)
    rules[schemas] = rule
    pending.append((rule, schemas))
    return rule
  }

  /// A rule of its own for an expression that may come often: what is worked out for it once serves
  /// all its places.
  mutating func share(_ name: String, _ expression: GrammarExpression) -> GrammarExpression {
    if let known = shared[expression] { return .rule(known) }
    let rule = grammar.add(name, expression)
    shared[expression] = rule
    return .rule(rule)
  }

  // MARK: Choices

  /// Values that hold to all of `schemas`.
  private mutating func expression(
    _ schemas: [SchemaReference]
  ) throws(GuideError) -> GrammarExpression {
    if schemas.count == 1, let only = schemas.first, let object = only.schema.object {
      // References and choices alone stay what they are, which is what lets a schema refer to itself.
      let meant = object.members.filter { !SchemaKeywords.annotations.contains($0.key) }
      if meant.count == 1, let member = meant.first {
        if let plain = try plain(member, only) { return plain }
      }
    }
    let shapes = try shapes(schemas)
    var parts: [GrammarExpression] = []
    for shape in shapes { parts.append(try expression(shape)) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func plain(
    _ member: JSONObject.Member, _ schema: SchemaReference
  ) throws(GuideError) -> GrammarExpression? {
    switch member.key {
    case "$ref": return .rule(try rule([try resolve(schema)]))
    case "anyOf", "oneOf":
      let branches = try branches(schema, member.key)
      if member.key == "oneOf" { try checkDisjoint(schema) }
      var parts: [GrammarExpression] = []
      for branch in branches { parts.append(.rule(try rule([branch]))) }
      return .choice(parts)
    case "allOf":
      return .rule(try rule(try branches(schema, member.key)))
    default: return nil
    }
  }

  /// Values of one shape.
  private mutating func expression(
    _ shape: SchemaShape
  ) throws(GuideError) -> GrammarExpression {
    if shape.values != nil { return try values(shape) }
    var parts: [GrammarExpression] = []
    if shape.types.contains(.null) { parts.append(.text("null")) }
    if shape.types.contains(.boolean) {
      parts.append(.oneOf([Array("true".utf8), Array("false".utf8)]))
    }
    if !shape.types.isDisjoint(with: .number) {
      parts.append(share("number", try number(shape)))
    }
    if shape.types.contains(.string) { parts.append(share("string", try string(shape))) }
    if shape.types.contains(.array) { parts.append(try array(shape)) }
    if shape.types.contains(.object) { parts.append(try object(shape)) }
    return .choice(parts)
  }

  /// The values of `enum` and `const` that hold to the rest.
  private mutating func values(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    var texts: [[UInt8]] = []
    var machines: [SchemaTypes: GrammarMachine?] = [:]
    for value in shape.values ?? [] {
      let type = SchemaTypes(of: value)
      guard shape.types.contains(type) else { continue }
      let text = form.text(value)
      let kind: SchemaTypes = type.isDisjoint(with: .number) ? type : .number
      if machines[kind] == nil { machines[kind] = .some(try machine(kind, shape)) }
      if case .some(.some(var machine)) = machines[kind], !machine.accepts(text) { continue }
      if !texts.contains(text) { texts.append(text) }
    }
    return texts.isEmpty ? .nothing : .oneOf(texts)
  }

  /// What tells whether a listed value of a type holds to the rest of its schema; nil: all do.
  private func machine(
    _ type: SchemaTypes, _ shape: SchemaShape
  ) throws(GuideError) -> GrammarMachine? {
    let expression: GrammarExpression
    switch type {
    case .string where shape.hasStringKeywords: expression = try string(shape)
    case .number where shape.low != nil || shape.high != nil || !shape.multiples.isEmpty:
      expression = try number(shape)
    case .array where shape.hasArrayKeywords, .object where shape.hasObjectKeywords:
      throw Self.refusal(
        shape.pointer,
        "lists values that are arrays or objects and says more about them, which guides do not check. "
          + "Leave one of the two out.")
    default: return nil
    }
    // A rest that no text holds to rules every value out.
    guard let program = try? GrammarProgram(Grammar(expression)) else {
      return GrammarMachine(try GrammarProgram(Grammar(.text("\u{0}"))))
    }
    return GrammarMachine(program)
  }
}

extension SchemaShape {
  var hasStringKeywords: Bool { minLength > 0 || maxLength != nil || !patterns.isEmpty }

  var hasArrayKeywords: Bool { minItems > 0 || maxItems != nil || !prefix.isEmpty || items != nil }

  var hasObjectKeywords: Bool {
    !properties.isEmpty || !required.isEmpty || additional != nil || minProperties > 0
      || maxProperties != nil
  }
}
