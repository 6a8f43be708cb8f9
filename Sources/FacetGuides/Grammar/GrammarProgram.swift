// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A grammar ready to be run: nodes with edges for bytes and for calls of rules.
///
/// A rule is a little automaton; a call of a rule pushes the node to go on at onto a stack. A repetition
/// with bounds too large to write out is a rule whose position carries a count.
package struct GrammarProgram: Sendable {
  /// Bytes that lead from a node to another.
  struct ByteEdge: Sendable, Hashable {
    var low: UInt8
    var high: UInt8
    var target: Int32
  }

  /// A rule that leads from a node to another.
  struct CallEdge: Sendable, Hashable {
    var rule: Int32
    var target: Int32
  }

  /// What stands where a node is reached, without another byte.
  struct Closure: Sendable, Hashable {
    /// A node with edges, and whether a repetition has come to its end, or begins, on the way there.
    struct Entry: Sendable, Hashable {
      var node: Int32
      var finishes: Bool
      var starts: Bool
    }
    var entries: [Entry] = []
    /// Whether the rule may end here, in the count that is, and with one more.
    var ends = false
    var endsAfterOneMore = false

    /// Whether nothing but the end of the rule is left.
    var isEndOnly: Bool { entries.isEmpty && ends && !endsAfterOneMore }
  }

  struct Rule: Sendable {
    var name: String
    var start: Int32 = 0
    var end: Int32 = 0
    var counter: Counter?
    /// Whether the empty text follows the rule.
    var isNullable = false
    /// Rules that this one may begin with have a higher rank.
    var rank = 0
    /// What the rule stands for; of a repetition, once.
    var expression = GrammarExpression.empty
    /// Bytes that may follow where the rule has ended.
    var follow = ByteSet()
  }

  /// The bounds of a repetition.
  struct Counter: Sendable, Hashable {
    var min: Int32
    var max: Int32?
    /// Where the repeated part ends.
    var bodyEnd: Int32 = 0
  }

  var rules: [Rule] = []
  var root: Int32 = 0
  /// By node.
  var bytes: [[ByteEdge]] = []
  var calls: [[CallEdge]] = []
  var ruleOf: [Int32] = []
  /// The closure of a node that was reached by a byte or a rule; empty for nodes that never are.
  var closures: [Closure] = []
  /// The closure of a rule's start.
  var starts: [Closure] = []
  /// Bytes that no edge tells apart have the same class.
  var classOf: [UInt8] = []
  var classCount = 0

  /// Makes a program of `grammar`; throws when it is left-recursive, has no text, or is too large.
  package init(_ grammar: Grammar) throws(GuideError) {
    var compiler = GrammarCompiler(grammar)
    self = try compiler.compile()
  }

  /// An empty program for the compiler to fill.
  init() {}

  /// How many nodes there are.
  package var nodeCount: Int { bytes.count }
}
