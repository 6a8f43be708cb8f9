// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser

/// Starts `facet-serve`, the program beside this one: what it is made of takes minutes to build, and the
/// other commands need none of it.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve models to the clients of other servers, with a page to chat on.")

  @Argument(parsing: .captureForPassthrough, help: "What facet serve --help lists.")
  var arguments: [String] = []

  func run() throws {
    try SiblingProgram.become(
      "facet-serve", arguments,
      absent: "The server is built apart from this command. Build it once: "
        + "swift build -c release --product facet-serve")
  }
}
