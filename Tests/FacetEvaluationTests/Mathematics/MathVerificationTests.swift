// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation
import Testing

@Suite("Answers of MATH against math_verify 0.9.0 (latex2sympy2_extended 1.11.0, sympy 1.14.0)")
struct MathVerificationTests {
  /// Solutions, and answers to them with what math_verify says.
  private static func cases(_ path: String) -> [(solution: String, answer: String, isRight: Bool)] {
    let bytes = (try? Data(contentsOf: URL(fileURLWithPath: path))).map { [UInt8]($0) } ?? []
    let json = (try? JSONReader.read(bytes, path: path)) ?? .null
    let solutions = (json["solutions"]?.array ?? []).compactMap(\.string)
    return (json["cases"]?.array ?? []).compactMap(\.array).compactMap { row in
      guard row.count == 3, let place = row[0].integer, solutions.indices.contains(place),
        let answer = row[1].string, let verdict = row[2].integer
      else { return nil }
      return (solutions[place], answer, verdict == 1)
    }
  }

  private static func differing(_ path: String) throws -> (all: Int, differing: [String]) {
    let cases = cases(path)
    let others = try cases.filter { item in
      try MathVerification.isRight(item.answer, solution: item.solution) != item.isRight
    }
    return (cases.count, others.map { "\($0.solution)  \($0.answer)  \($0.isRight)" })
  }

  @Test("answers are right where math_verify says so, and nowhere else")
  func golden() throws {
    let (count, others) = try Self.differing(Goldens.path("evaluation/verification.json"))
    #expect(count > 1800)
    #expect(others == [])
  }

  private static let more = ProcessInfo.processInfo.environment["FACET_VERIFICATION_CASES"]

  @Test(
    "of thousands of answers to the solutions of MATH, one in a thousand at most is judged otherwise",
    .enabled(if: more != nil, "FACET_VERIFICATION_CASES names no file of cases"))
  func large() throws {
    let (count, others) = try Self.differing(Self.more ?? "")
    #expect(count > 5000)
    #expect(others.count <= count / 1000, "\(others)")
  }

  private func holds(_ solution: String, _ answer: String) throws -> Bool {
    try MathVerification.isRight(answer, solution: solution)
  }

  @Test(
    "an answer is found wherever models put it",
    arguments: [
      "5", "$5$", "\\boxed{5}", "\\[ x = \\boxed{5} \\]", "\\(5\\)", "**Answer:** 5",
      "Final Answer: The final answer is $5$. I hope it is correct.", "So 2 + 3 gives $5$.",
      "The answer is 5 apples.", "$2+2=4$, but the answer is $5$", "First \\boxed{5}.",
    ])
  func places(_ answer: String) throws {
    #expect(try holds("Therefore it is $\\boxed{5}$.", answer))
    #expect(try !holds("Therefore it is $\\boxed{6}$.", answer))
  }

  @Test("a text without an answer is not right, and nothing answers a solution without one")
  func absent() throws {
    for text in ["", "I do not know.", "\\boxed{}", "$$", "$"] {
      #expect(try !holds("$\\boxed{5}$", text))
      #expect(try !holds("I do not know.", text))
    }
  }

  @Test(
    "two forms of one value are equal",
    arguments: [
      ("\\frac{1}{2}", "0.5"), ("\\frac12", "1/2"), ("3\\frac12", "3.5"), ("\\sqrt8", "2\\sqrt2"),
      ("x^2-1", "(x-1)(x+1)"), ("\\sin^2x+\\cos^2x", "1"), ("1,234", "1234"), ("2^{10}", "1024"),
      ("\\pi", "3.141593"), ("\\sqrt{x^2}", "|x|"), ("\\binom{5}{2}", "10"), ("\\log_2 8", "3"),
      ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix}1\\\\2.0\\end{bmatrix}"),
    ])
  func values(_ a: String, _ b: String) throws {
    #expect(try holds("$\(a)$", "$\(b)$"))
    #expect(try holds("$\(b)$", "$\(a)$"))
  }

  @Test(
    "values that only look alike differ",
    arguments: [
      ("\\frac13", "0.33"), ("5", "5.0000001"), ("10^{30}", "10^{30}+1"), ("x", "x^2"),
      ("(1,2]", "[1,2]"), ("\\sqrt2", "1.4142"), ("x+1", "y+1"), ("1,2", "1,3"), ("x>3", "x\\ge3"),
      ("\\infty", "-\\infty"), ("\\frac10", "\\frac10+1"),
    ])
  func others(_ a: String, _ b: String) throws {
    #expect(try !holds("$\(a)$", "$\(b)$"))
    #expect(try !holds("$\(b)$", "$\(a)$"))
  }

  @Test("numbers of any length are compared digit by digit")
  func longNumbers() throws {
    let digits = String(repeating: "1234567890", count: 12)
    #expect(try holds("$\(digits)1+0$", "$\(digits)1$"))
    #expect(try !holds("$\(digits)1+0$", "$\(digits)2$"))
    #expect(try !holds("$9223372036854775807+0$", "$9223372036854775808$"))
  }

  @Test("a set has no order, a tuple has one, and a pair may be an open interval")
  func sets() throws {
    #expect(try holds("$\\{1,2,3\\}$", "$3,1,2$"))
    #expect(try holds("$1,2,3$", "$3$, $2$ and $1$"))
    #expect(try !holds("$(1,2,3)$", "$(3,2,1)$"))
    #expect(try holds("$(1,2)$", "$1,2$"))
    #expect(try holds("$\\pm\\sqrt2$", "$-\\sqrt2,\\sqrt2$"))
    #expect(
      try holds("$(-\\infty,2)\\cup(3,\\infty)$", "$(3,\\infty)\\cup(-\\infty,2)$"))
    #expect(try holds("$(-\\infty,2)\\cup(2,\\infty)$", "$\\mathbb{R}\\setminus\\{2\\}$"))
    #expect(try holds("$\\emptyset$", "$\\{\\}$"))
  }

  @Test("the solution decides whether an equation or its value is asked for")
  func equations() throws {
    #expect(try holds("$x=5$", "5"))
    #expect(try holds("$5$", "$x=5$"))
    #expect(try !holds("$x=5$", "$y=5$"))
    #expect(try holds("$y=2x+3$", "$2x-y+3=0$"))
    #expect(try !holds("$2x+y=6$", "$6$"))
    #expect(try holds("$2\\le x<5$", "$[2,5)$"))
    #expect(try !holds("$[2,5)$", "$2\\le x<5$"))
    #expect(try holds("$x>3$", "$3<x$"))
    #expect(try holds("$x=y=5$", "$x=5$"))
  }

  @Test("text is compared without regard to case, as a name or letter by letter")
  func words() throws {
    #expect(try holds("$\\text{Evelyn}$", "\\boxed{evelyn}"))
    #expect(try holds("$\\text{(C)}$", "$C$"))
    #expect(try !holds("$\\text{even}$", "$\\text{odd}$"))
    #expect(try !holds("$\\text{Evelyn}$", "Evelyn"))
  }

  @Test("no text makes the reader fall over")
  func nonsense() throws {
    let pieces = [
      "\\frac", "{", "}", "^", "_", "(", ")", "x", "12", "\\sqrt", "[", "]", "|", "-", "\\", "!",
      ",", ";", "=", "<", "\\cup", "\\pm", "\\text{a}", "\\sin", "e", "d", "%", "\\boxed", "$", " ",
      "\\{", "\\}", "&", "\\\\", "\\begin{pmatrix}", "\\end{pmatrix}", ".", "\\infty", "and", "'",
      "\u{301}", "é", "\r\n", "😀", "\u{0}",
    ]
    var random = PythonRandom(seed: 3)
    for _ in 0..<1500 {
      let text = (0..<14).map { _ in pieces[random.sample(pieces.count, 1)[0]] }.joined()
      for form in [text, "$\(text)$", "\\boxed{\(text)}", "The answer is \(text)"] {
        _ = try holds("$\\boxed{x}$", form)
        _ = try holds(form, "$1,2$")
      }
    }
  }

  @Test(
    "what is nested, long or huge beyond measure takes no stack and no time",
    arguments: [
      "(", "{", "[", "-", "|", "!", "x^", "x^{", "x/", "1+", "1,", "f(", "a_", "\\frac{", "\\sqrt{",
      "\\sin ", "\\{", "\\left(", "2^9^", "\\boxed{", "\\text{", "9", "x=", "\\[", "\\( ", "$$ a ",
      "\\[ \\boxed{a} ", "answer ",
    ])
  func deep(_ piece: String) throws {
    for count in [50, 500, 20_000] {
      let text = String(repeating: piece, count: count)
      #expect(try !holds("$\\boxed{z}$", "$\(text)1$"))
      #expect(try !holds("$\(text)1$", "$\\boxed{z}$"))
    }
  }

  @Test(
    "powers and factorials that no machine computes are numbers like others",
    arguments: [
      "9^{999999999}", "10^{10^{10^{10}}}", "99999999999999999999!", "1E400", "10^{400}",
      "1e-9223372036854775808", "1e9223372036854775807",
      "\\binom{1000000}{500000}", "9223372036854775808/9223372036854775807", "\\gcd(0,0)",
      "-9223372036854775808\\frac{1}{9223372036854775807}", "1/0",
    ])
  func huge(_ text: String) throws {
    #expect(try !holds("$5$", "$\(text)$"))
    #expect(try !holds("$\(text)+0$", "$5$"))
  }
}
