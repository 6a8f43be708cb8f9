// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation

// Plans a trip while you watch: swift run -c release TripPlanner [PLACE] [MODEL]

@Generable(description: "A trip")
struct Trip: Encodable {
  @Guide(description: "The place", .maximumLength(20)) var place: String
  @Guide(.range(1...7)) var days: Int
  @Guide(.count(2...3)) var stops: [Stop]
  var by: Transport

  @Generable
  struct Stop: Encodable {
    @Guide(description: "What to see", .maximumLength(24)) var sight: String
    @Guide(.range(0...50)) var euros: Int?
  }

  @Generable
  enum Transport: String, Encodable { case train, boat, bicycle }
}

let arguments = Array(CommandLine.arguments.dropFirst())
do {
  let model = try await Model.load(arguments.count > 1 ? arguments[1] : "smollm2:135m")
  let session = LanguageModelSession(model: model, instructions: "You plan trips.")
  let options = GenerationOptions(sampling: .greedy, maxTokens: 300)
  let answer = try session.streamResponse(
    to: "Plan a trip to \(arguments.first ?? "Rome").", generating: Trip.self, options: options)
  var shown = 0
  for try await snapshot in answer {
    // Members are there as soon as something of them is.
    let stops = snapshot.content?.stops ?? []
    // A stop is whole when the next one begins, or the list has ended.
    for stop in stops.dropFirst(shown).dropLast(snapshot.content?.by == nil ? 1 : 0) {
      print("\(snapshot.content?.place ?? ""): \(stop.sight ?? "") for \(stop.euros ?? 0) euros")
      shown += 1
    }
  }
  guard case .response(let json) = session.transcript.entries.last else { exit(1) }
  print(json)
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
