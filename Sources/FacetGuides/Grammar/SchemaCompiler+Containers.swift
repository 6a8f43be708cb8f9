// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

// MARK: - Arrays

extension SchemaCompiler {
  /// Arrays of a shape.
  mutating func array(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    let (min, max) = (shape.minItems, shape.maxItems ?? Int.max)
    guard min <= max else { return .nothing }
    let comma = GrammarExpression.bytes(form.comma)
    // Beyond a prefix only what is described, or needed, is written.
    let count = shape.prefix.count
    let most = shape.items == nil && count > 0 ? Swift.max(min, count) : max
    var graph = GrammarGraph()
    var state = graph.addState()
    let end = graph.addState()
    graph.add(.text("["), from: 0, to: state)
    graph.accepting = [end]
    for index in 0..<count {
      if index >= min { graph.add(.text("]"), from: state, to: end) }
      guard index < Swift.min(max, most) else { return .graph(graph) }
      let value = GrammarExpression.rule(try rule(shape.prefix[index]))
      let next = graph.addState()
      graph.add(index > 0 ? .sequence([comma, value]) : value, from: state, to: next)
      state = next
    }
    let value = GrammarExpression.rule(try rule(shape.items ?? []))
    let least = Swift.max(0, min - count)
    let greatest = Swift.min(max, most) == Int.max ? nil : Swift.min(max, most) - count
    let rest: GrammarExpression
    if count > 0 {
      rest = .repeated(.sequence([comma, value]), min: least, max: greatest)
    } else if greatest == 0 {
      rest = .empty
    } else {
      let some = GrammarExpression.sequence([
        value,
        .repeated(
          .sequence([comma, value]), min: Swift.max(0, least - 1), max: greatest.map { $0 - 1 }),
      ])
      rest = least == 0 ? some.optional : some
    }
    graph.add(.sequence([rest, .text("]")]), from: state, to: end)
    return .graph(graph)
  }
}

// MARK: - Objects

extension SchemaCompiler {
  /// Places in a list of properties, times counts, at most.
  private static var mostPlaces: Int { 20_000 }

  /// Objects of a shape: properties in their order, each there or not, then others where they are
  /// described.
  mutating func object(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    var properties = shape.properties
    for key in shape.required where !properties.contains(where: { $0.key == key }) {
      properties.append(SchemaShape.Property(key: key, schemas: shape.additional ?? []))
    }
    // Objects of which nothing is said are free; otherwise only what is described is written.
    let others = shape.additional ?? (properties.isEmpty ? [] : nil)
    let least = shape.minProperties
    let most = shape.maxProperties ?? Int.max
    guard least <= most else { return .nothing }
    guard least <= properties.count + (others == nil ? 0 : 1) else {
      throw Self.refusal(
        shape.pointer + "/minProperties",
        "asks for more properties than are described, and guides cannot tell those that are not apart. "
          + "Describe them in 'properties'.")
    }
    var walk = ObjectWalk(
      form: form,
      counts: max(1, least, shape.maxProperties.map { min($0, properties.count + 1) } ?? 0))
    guard walk.counts * (properties.count + 1) <= Self.mostPlaces else {
      throw Self.refusal(
        shape.pointer,
        "has too many properties to count them. Leave out minProperties and maxProperties.")
    }
    for property in properties {
      guard form.canWrite(property.key) else {
        throw Self.refusal(
          shape.pointer + "/properties",
          "has a property '\(property.key)', whose name this model's form of calls cannot write. Use ASCII "
            + "letters, digits and '_'.")
      }
      let value = GrammarExpression.rule(try rule(property.schemas))
      let member = GrammarExpression.sequence([
        .bytes(form.name(property.key) + form.colon), value,
      ])
      walk.add(member, isRequired: shape.required.contains(property.key), most: most)
    }
    var member: GrammarExpression?
    if let others {
      let value = GrammarExpression.rule(try rule(others))
      let key = share("key", key(except: properties.map(\.key)))
      member = .sequence([key, .bytes(form.colon), value])
    }
    return .graph(walk.finish(others: member, least: least, most: most))
  }

  /// Keys other than `names`.
  private func key(except names: [String]) -> GrammarExpression {
    guard form == .json else { return plainKey(except: names) }
    guard !names.isEmpty else {
      return .sequence([
        .text("\""), .repeated(JSONForm.anyScalar, min: 0, max: nil), .text("\""),
      ])
    }
    // Scalars are written in one way only, so that no name can come in disguise.
    var graph = GrammarGraph()
    var children: [[Unicode.Scalar: Int]] = [[:]]
    var taken: Set<Int> = []
    for name in names {
      var state = 0
      for scalar in name.unicodeScalars {
        if let child = children[state][scalar] {
          state = child
          continue
        }
        let child = graph.addState()
        children.append([:])
        children[state][scalar] = child
        graph.add(JSONForm.scalar(of: ScalarSet(scalar)), from: state, to: child)
        state = child
      }
      taken.insert(state)
    }
    let free = graph.addState()
    for (state, known) in children.enumerated() {
      let rest = ScalarSet(known.keys.map { $0.value...$0.value }).inverted
      graph.add(JSONForm.scalar(of: rest), from: state, to: free)
      if !taken.contains(state) { graph.accepting.insert(state) }
    }
    graph.add(JSONForm.scalar(of: .all), from: free, to: free)
    graph.accepting.insert(free)
    return .sequence([.text("\""), .graph(graph), .text("\"")])
  }

  /// The same without quotation marks: there is at least one scalar.
  private func plainKey(except names: [String]) -> GrammarExpression {
    // Listed names are short; another name is told from them by being longer than all of them.
    let longest = names.map { $0.unicodeScalars.count }.max() ?? 0
    return .repeated(.scalars(form.nameScalars), min: longest + 1, max: nil)
  }
}

/// Builds the graph of an object: a state for each place in the list of properties and each number of
/// properties that are there.
private struct ObjectWalk {
  /// Numbers from here on are not told apart.
  let counts: Int
  private let comma: GrammarExpression
  private var graph = GrammarGraph()
  /// The states at the present place, by number of properties.
  private var states: [Int?]

  init(form: ValueForm, counts: Int) {
    self.counts = counts
    comma = .bytes(form.comma)
    states = Array(repeating: nil, count: counts + 1)
    states[0] = graph.addState()
    graph.add(.text("{"), from: 0, to: 1)
  }

  private func member(_ member: GrammarExpression, after count: Int) -> GrammarExpression {
    count == 0 ? member : .sequence([comma, member])
  }

  /// Adds a property.
  mutating func add(_ property: GrammarExpression, isRequired: Bool, most: Int) {
    var next = [Int?](repeating: nil, count: counts + 1)
    for case (let count, let state?) in states.enumerated() {
      if !isRequired {
        let target = next[count] ?? graph.addState()
        next[count] = target
        graph.add(.empty, from: state, to: target)
      }
      guard count < most else { continue }
      let more = min(count + 1, counts)
      let target = next[more] ?? graph.addState()
      next[more] = target
      graph.add(member(property, after: count), from: state, to: target)
    }
    states = next
  }

  /// Ends the object, after other members where there are any: they count as one at least, since they
  /// may have the same key.
  mutating func finish(others: GrammarExpression?, least: Int, most: Int) -> GrammarGraph {
    let end = graph.addState()
    graph.accepting = [end]
    for case (let count, let state?) in states.enumerated() {
      if count >= least { graph.add(.text("}"), from: state, to: end) }
      guard let others, count < most, count + 1 >= least else { continue }
      let more = most == Int.max ? nil : most - count - 1
      graph.add(
        .sequence([
          member(others, after: count), .repeated(member(others, after: 1), min: 0, max: more),
          .text("}"),
        ]), from: state, to: end)
    }
    return graph
  }
}
