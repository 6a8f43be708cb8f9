// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// An answer that may call tools: text as it comes, and calls that are always well formed and hold to
/// the tools' schemas.
public struct ToolGuide: Sendable, Hashable, Codable {
  /// The tools.
  public var tools: [ToolDefinition]
  /// Whether they may or must be called.
  public var choice: ToolChoice
  /// How many calls one answer may have.
  public var count: ToolCallCount
  /// How the model writes calls.
  public var syntax: ToolSyntax
  /// What an answer without calls must look like; nil: anything.
  public var answer: Guide?

  /// Calls of `tools` as the model sees fit, unless said otherwise.
  public init(
    _ tools: [ToolDefinition], choice: ToolChoice = .auto, count: ToolCallCount = .several,
    syntax: ToolSyntax, answer: Guide? = nil
  ) {
    self.tools = tools
    self.choice = choice
    self.count = count
    self.syntax = syntax
    self.answer = answer
  }

  /// The tools that may be called.
  var callable: [ToolDefinition] {
    switch choice {
    case .auto, .required: tools
    case .none: []
    case .named(let name): tools.filter { $0.name == name }
    }
  }

  /// The grammar of answers.
  func grammar() throws(GuideError) -> Grammar {
    try checkTools()
    var grammar = Grammar(rules: [], root: 0)
    // What follows the opening of a call, by tool; Hermes and Mistral open all alike.
    var bodies: [GrammarExpression] = []
    for tool in callable {
      let arguments = grammar.add(try tool.argumentsGrammar(syntax.form), as: tool.name)
      bodies.append(body(tool.name, arguments))
    }
    let others = callable.isEmpty ? GrammarExpression.nothing : rest(&grammar, bodies)
    switch choice {
    case .required, .named:
      grammar.root = grammar.add("root", .sequence([opened(bodies), others]))
    case .auto, .none:
      var text = MarkedText(beginsLines: syntax.beginsLines)
      let after = text.addState()
      for (tool, opener) in openers() {
        let body = tool.map { bodies[$0] } ?? .choice(bodies)
        text.add(opener, .sequence([body, others]), to: after)
      }
      // An answer that must look a certain way has no other text around calls.
      var parts: [GrammarExpression] = []
      if let answer {
        parts.append(.rule(grammar.add(try answer.grammar(), as: "answer")))
        if !bodies.isEmpty { parts.append(.sequence([opened(bodies), others])) }
      } else {
        parts.append(.graph(text.graph(whole: after)))
      }
      grammar.root = grammar.add("root", .choice(parts))
    }
    return grammar
  }

  private func checkTools() throws(GuideError) {
    if let twice = Dictionary(grouping: tools, by: \.name).first(where: { $1.count > 1 })?.key {
      throw GuideError("Two tools are called '\(twice)'. Give each a name of its own.")
    }
    if case .named(let name) = choice, callable.isEmpty {
      throw GuideError(
        "The tool '\(name)' must be called, but there is none of that name. Define it.")
    }
    if choice == .required, tools.isEmpty {
      throw GuideError("A tool must be called, but none is defined. Define one.")
    }
  }

  /// The texts that open a call, and which tool's where they tell.
  private func openers() -> [(tool: Int?, bytes: [UInt8])] {
    guard !callable.isEmpty else {
      // Where nothing may be called, nothing may look like a call.
      return syntax == .lines ? [] : [(nil, syntax.opener(""))]
    }
    if syntax != .lines { return [(nil, syntax.opener(""))] }
    return callable.indices.map { ($0, syntax.opener(callable[$0].name)) }
  }

  /// What follows the opening of the first call of a tool.
  private func body(_ tool: String, _ arguments: Int) -> GrammarExpression {
    let head = syntax.head(tool)
    switch syntax {
    case .lines:
      let opener = syntax.opener(tool)
      return .sequence([
        .bytes(Array(head.dropFirst(opener.count))), .rule(arguments), .text("}"),
      ])
    case .hermes:
      return .sequence([
        .bytes([0x0A] + head), .rule(arguments), .text("}\n</tool_call>"),
      ])
    case .mistral:
      return .sequence([
        .text(" ").optional, .bytes([0x5B] + head), .rule(arguments), .text("}"),
      ])
    case .functionGemma, .gemma4:
      return .sequence([.bytes(head), .rule(arguments), .bytes(syntax.closer)])
    }
  }

  /// A first call, with its opening.
  private func opened(_ bodies: [GrammarExpression]) -> GrammarExpression {
    guard syntax == .lines else {
      return .sequence([.bytes(syntax.opener("")), .choice(bodies)])
    }
    return .choice(
      zip(callable, bodies).map { tool, body in
        .sequence([.bytes(syntax.opener(tool.name)), body])
      })
  }

  /// What may follow the first call: others, and the end.
  private func rest(
    _ grammar: inout Grammar, _ bodies: [GrammarExpression]
  ) -> GrammarExpression {
    let next: GrammarExpression
    let end: GrammarExpression
    switch syntax {
    case .lines:
      next = .sequence([.text("\n"), opened(bodies)])
      // Models that put the call into a code block close it.
      end = .text("\n```").optional
    case .hermes:
      next = .sequence([.text("\n"), opened(bodies)])
      end = .empty
    case .mistral:
      let list = bodies.map(afterBracket)
      next = .sequence([.text(", "), .choice(list)])
      end = .text("]")
    case .functionGemma, .gemma4:
      next = opened(bodies)
      // The model hands over to its tools.
      end = .bytes(syntax.marks?.response.bytes ?? []).optional
    }
    return count == .one ? end : .sequence([.repeated(next, min: 0, max: nil), end])
  }

  /// A call of Mistral's without the bracket that begins the list.
  private func afterBracket(_ body: GrammarExpression) -> GrammarExpression {
    guard case .sequence(let parts) = body, case .bytes(let head) = parts[1] else { return body }
    return .sequence([.bytes(Array(head.dropFirst()))] + parts.dropFirst(2))
  }
}

extension Grammar {
  /// Takes in the rules of `other` and returns the number of its root.
  mutating func add(_ other: Grammar, as name: String) -> Int {
    let offset = rules.count
    for rule in other.rules {
      _ = add("\(name) \(rule.name)", rule.expression.shifted(by: offset))
    }
    return offset + other.root
  }
}

extension GrammarExpression {
  /// The expression with the numbers of its rules moved up.
  fileprivate func shifted(by offset: Int) -> GrammarExpression {
    switch self {
    case .bytes, .scalars: return self
    case .sequence(let parts): return .sequence(parts.map { $0.shifted(by: offset) })
    case .choice(let parts): return .choice(parts.map { $0.shifted(by: offset) })
    case .repeated(let part, let min, let max):
      return .repeated(part.shifted(by: offset), min: min, max: max)
    case .rule(let index): return .rule(index + offset)
    case .graph(let graph):
      var result = GrammarGraph()
      for _ in graph.edges.dropFirst() { _ = result.addState() }
      for (state, edges) in graph.edges.enumerated() {
        for edge in edges {
          result.add(edge.label.shifted(by: offset), from: state, to: edge.target)
        }
      }
      result.accepting = graph.accepting
      return .graph(result)
    }
  }
}
