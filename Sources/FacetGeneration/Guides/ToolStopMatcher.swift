// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetGuides
package import FacetTokenizer

/// Looks for stop texts in an answer that may call tools: in the text before its calls, never in a call.
///
/// After the first call nothing but calls follows, so that from there on nothing stops the answer. What is given
/// out is the answer as it stands, calls included.
package struct ToolStopMatcher: Sendable {
  private var parser: ToolCallParser
  private let marks: [TokenID: GuideMark]
  private var matcher: StopMatcher
  /// Bytes of the answer that were not given out.
  private var held: [UInt8] = []
  private var hasCalled = false

  /// Looks for `stops`, none of them empty, in answers to `guide`, which `compiled` was made of.
  package init(_ stops: [String], _ guide: ToolGuide, _ compiled: CompiledGuide) {
    parser = ToolCallParser(guide, compiled)
    marks = compiled.vocabulary.marks
    matcher = StopMatcher(stops)
  }

  /// What is certain once `token` has brought `text`, up to a stop text if there is one now.
  package mutating func append(_ token: TokenID, _ text: String) -> (text: String, stop: String?) {
    guard !hasCalled else { return (text, nil) }
    held += text.utf8
    let found = settle(parser.append(text))
    guard marks[token] != nil, found.stop == nil else { return found }
    // The first control token of an answer opens a call; what was held back stands before it.
    hasCalled = true
    return (found.text + take(held.count), nil)
  }

  /// What was held back and `rest`, when nothing follows.
  package mutating func finish(_ rest: String) -> String {
    guard !hasCalled else { return rest }
    held += rest.utf8
    let (text, stop) = settle(parser.append(rest) + parser.finish())
    return stop == nil ? text + take(held.count) : text
  }

  /// Looks at what the parser is sure of.
  private mutating func settle(_ parts: [AnswerPart]) -> (text: String, stop: String?) {
    var certain = 0
    for part in parts {
      guard case .text(let text) = part else {
        hasCalled = true
        return (take(held.count), nil)
      }
      let (sure, stop) = matcher.append(text)
      certain += sure.utf8.count
      if let stop { return (take(certain), stop) }
    }
    return (take(certain), nil)
  }

  private mutating func take(_ count: Int) -> String {
    defer { held.removeFirst(count) }
    return String(decoding: held.prefix(count), as: UTF8.self)
  }
}
