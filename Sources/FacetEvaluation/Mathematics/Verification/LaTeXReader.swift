// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads what an answer in LaTeX says, as latex2sympy2_extended reads it: where its grammar leaves a choice,
/// the first alternative that fits is taken, as there.
struct LaTeXReader {
  /// The text is nothing that can be read.
  struct Failure: Error {}

  let tokens: [LaTeXToken]
  let text: String
  /// What variables are: real ones, or ones that are not.
  let isReal: Bool
  var index = 0
  /// How many parentheses, braces and exponents are open.
  private var depth = 0
  /// What was read at a place, so that nothing is read twice: alternatives within alternatives would take
  /// a time exponential in their depth.
  private var read: [Place: Outcome] = [:]

  /// Deeper than this nobody writes, and each level takes some of the stack.
  private static let mostDepth = 40

  private struct Place: Hashable {
    var rule: Rule
    var index: Int
  }

  private enum Rule { case expression, setAtom, elements }

  private enum Outcome {
    case failure
    case formula(MathFormula, end: Int)
    case object(MathObject, end: Int)
    case lists([[MathObject]], end: Int)
  }

  private init?(_ text: String, isReal: Bool) {
    guard let tokens = LaTeXToken.split(text) else { return nil }
    self.tokens = tokens
    self.text = text
    self.isReal = isReal
  }

  /// What `text` says; nil where it cannot be read.
  static func read(_ text: String, isReal: Bool) -> MathObject? {
    guard var reader = LaTeXReader(text, isReal: isReal) else { return nil }
    return try? reader.whole()
  }

  // MARK: Tokens

  var kind: LaTeXToken.Kind { tokens[min(index, tokens.count - 1)].kind }

  var sign: String? { if case .sign(let name) = kind { name } else { nil } }

  mutating func take(_ name: String) -> Bool {
    guard sign == name else { return false }
    index += 1
    return true
  }

  mutating func need(_ name: String) throws(Failure) {
    guard take(name) else { throw Failure() }
  }

  /// What `body` reads, or nothing and the place unchanged.
  mutating func attempt<Value>(_ body: (inout Self) throws(Failure) -> Value) -> Value? {
    let start = index
    do { return try body(&self) } catch {
      index = start
      return nil
    }
  }

  /// The text of the tokens from `start` up to here.
  func written(from start: Int) -> String { tokens[start..<index].map(\.text).joined() }

  // MARK: The whole

  private mutating func whole() throws(Failure) -> MathObject {
    if let assignment = attempt({ (reader) throws(Failure) in try reader.assignment() }) {
      return assignment
    }
    if let list = attempt({ (reader) throws(Failure) in try reader.list() }) { return list }
    let object = try setRelation()
    if kind == .end { return object }
    throw Failure()
  }

  /// `x = 1, 2` and `x \in [2, 5)`.
  private mutating func assignment() throws(Failure) -> MathObject {
    let left = try variables()
    guard take("in") || take("=") else { throw Failure() }
    let lists = try elements(relations: false)
    guard kind == .end else { throw Failure() }
    return .relations([MathRelation(kind: .equal, left: left, right: Self.gathered(lists))])
  }

  /// `1, 2; 3`, or one of them, or a number with commas.
  private mutating func list() throws(Failure) -> MathObject {
    let lists = try elements(relations: true)
    guard kind == .end else { throw Failure() }
    if let number = Self.grouped(text) { return .formula(.number(number)) }
    return Self.gathered(lists)
  }

  /// `1,234,567` or `-1,234.5` written without spaces within: one number.
  private static func grouped(_ text: String) -> MathNumber? {
    let stripped = PythonText.strip(text)
    let groups = PythonText.split(stripped, ",")
    guard groups.count > 1 else { return nil }
    func isDigits(_ text: some StringProtocol, _ counts: ClosedRange<Int>) -> Bool {
      counts.contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    let first = groups[0].hasPrefix("-") ? groups[0].dropFirst() : groups[0][...]
    let last = PythonText.split(groups[groups.count - 1], ".")
    guard isDigits(first, 1...3), groups.dropFirst().dropLast().allSatisfy({ isDigits($0, 3...3) }),
      last.count <= 2, isDigits(last[0], 3...3), last.count == 1 || isDigits(last[1], 1...400)
    else { return nil }
    if first.hasPrefix("0"), !groups[0].hasPrefix("-") {
      // `0,125` is a decimal.
      return MathNumber(text: PythonText.replace(stripped, ",", "."))
    }
    return MathNumber(text: PythonText.replace(stripped, ",", ""))
  }

  /// One element, a set of some, or a set of tuples where semicolons and commas are mixed.
  static func gathered(_ lists: [[MathObject]]) -> MathObject {
    if lists.count == 1 { return lists[0].count == 1 ? lists[0][0] : .finiteSet(lists[0]) }
    if lists.allSatisfy({ $0.count == 1 }) { return .finiteSet(lists.map { $0[0] }) }
    return .finiteSet(lists.map { .tuple($0) })
  }

  // MARK: What is read once at a place

  mutating func elements(relations: Bool) throws(Failure) -> [[MathObject]] {
    guard relations else { return try readElements(relations: false) }
    let place = Place(rule: .elements, index: index)
    if let known = read[place] {
      guard case .lists(let lists, let end) = known else { throw Failure() }
      index = end
      return lists
    }
    let lists = try remembered(place) { (reader) throws(Failure) in
      try reader.readElements(relations: true)
    }
    read[place] = .lists(lists, end: index)
    return lists
  }

  mutating func setAtom() throws(Failure) -> MathObject {
    let place = Place(rule: .setAtom, index: index)
    if let known = read[place] {
      guard case .object(let object, let end) = known else { throw Failure() }
      index = end
      return object
    }
    let object = try remembered(place) { (reader) throws(Failure) in try reader.readSetAtom() }
    read[place] = .object(object, end: index)
    return object
  }

  mutating func expression() throws(Failure) -> MathFormula {
    let place = Place(rule: .expression, index: index)
    if let known = read[place] {
      guard case .formula(let formula, let end) = known else { throw Failure() }
      index = end
      return formula
    }
    let formula = try remembered(place) { (reader) throws(Failure) in try reader.readSum() }
    read[place] = .formula(formula, end: index)
    return formula
  }

  /// What `body` reads one level deeper; a failure is kept in mind.
  private mutating func remembered<Value>(
    _ place: Place, _ body: (inout Self) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    guard depth < Self.mostDepth else { throw Failure() }
    depth += 1
    defer { depth -= 1 }
    do { return try body(&self) } catch {
      read[place] = .failure
      throw error
    }
  }

  /// What `body` reads one level deeper.
  mutating func deeper<Value>(
    _ body: (inout Self) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    guard depth < Self.mostDepth else { throw Failure() }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }
}
