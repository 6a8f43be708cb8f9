// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// BOLD's files: `{category: {subject: [prompts]}}` (Dhamala et al., 2021, arXiv 2101.11718).
enum BoldPrompts {
  /// One row for each prompt: `category`, `name`, `prompt`.
  static func rows(_ json: JSON, path: String) throws(EvaluationError) -> [JSON] {
    func refuse() -> EvaluationError {
      EvaluationError(
        .invalidData, "\(path): BOLD has an object of categories, of subjects, of lists of prompts."
      )
    }
    guard let categories = json.object?.members else { throw refuse() }
    var rows: [JSON] = []
    for category in categories {
      guard let subjects = category.value.object?.members else { throw refuse() }
      for subject in subjects {
        guard let prompts = subject.value.array else { throw refuse() }
        for prompt in prompts {
          guard prompt.string != nil else { throw refuse() }
          rows.append(
            try JSON.object(JSONObject()).adding([
              ("category", .string(category.key)), ("name", .string(subject.key)),
              ("prompt", prompt),
            ]))
        }
      }
    }
    return rows
  }
}
