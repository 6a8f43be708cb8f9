// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import Foundation

/// Pulls one model into the library that the environment names, as `facet pull` does: a process that
/// tests may kill.
@main
enum StoreKillProbe {
  static func main() async {
    guard let name = CommandLine.arguments.last, CommandLine.arguments.count > 1 else { exit(2) }
    do {
      let model = try await ModelStore().pull(name) { event in
        if event.phase == .waiting { say("waiting") }
      }
      say(model.digest)
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      exit(1)
    }
  }

  private static func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }
}
