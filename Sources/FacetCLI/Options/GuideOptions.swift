// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

/// What the answer must look like.
struct GuideOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Answer with JSON that holds to the JSON Schema in this file.", valueName: "file"),
    completion: .file())
  var schema: String?

  @Option(
    help: ArgumentHelp("Answer along the GBNF grammar in this file.", valueName: "file"),
    completion: .file())
  var grammar: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Answer with a text that matches this regular expression as a whole.", valueName: "pattern"))
  var regex: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Answer with one of these texts, set apart by commas.", valueName: "a,b,c"))
  var choices: String?

  @Flag(help: "Answer with JSON of any form.")
  var jsonObject = false

  /// The flags that are given.
  private var given: [String] {
    [
      ("--schema", schema != nil), ("--grammar", grammar != nil), ("--regex", regex != nil),
      ("--choices", choices != nil), ("--json-object", jsonObject),
    ].filter(\.1).map(\.0)
  }

  /// Whether there is a guide.
  var isGiven: Bool { !given.isEmpty }

  /// The flag that gave it.
  var flag: String { given.first ?? "" }

  func validate() throws {
    if given.count > 1 {
      throw ValidationError(
        "\(given[0]) and \(given[1]) both say what the answer must look like; give one of them.")
    }
    // Files are read when the command runs.
    if regex != nil || choices != nil {
      do { try guide()?.validate() } catch let error as GuideError {
        throw ValidationError(error.message)
      }
    }
  }

  /// The same for the library; nil: an answer of any form.
  func guide() throws -> Guide? {
    if let schema { return .jsonSchema(try TextFile.read(schema)) }
    if let grammar { return .grammar(try TextFile.read(grammar)) }
    if let regex { return .regularExpression(regex) }
    if let choices {
      return .choices(
        choices.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    }
    return jsonObject ? .jsonSchema(#"{"type": "object"}"#) : nil
  }
}
