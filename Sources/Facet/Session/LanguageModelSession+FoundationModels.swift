// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

// Types that Apple's own macros describe, answered by Facet's models. Written from the documentation of macOS 26
// and kept by review alone: no machine that builds Facet today has that framework, so this file has neither been
// compiled nor run. Everything else of Facet does without it.
#if canImport(FoundationModels)
  import FacetCheckpoint
  public import FacetGeneration
  import Foundation
  public import FoundationModels

  @available(macOS 26, iOS 26, visionOS 26, *)
  extension Facet.LanguageModelSession {
    /// Answers `prompt` with a value of a type that is `Generable` to FoundationModels.
    public func respond<T: FoundationModels.Generable & Sendable>(
      to prompt: String, generating type: T.Type, mention: SchemaMention = .inPrompt,
      options: FacetGeneration.GenerationOptions? = nil
    ) async throws -> Response<T> {
      let schema = try Schema(type.generationSchema)
      let response = try await respond(
        to: prompt, schema: schema, mention: mention, options: options)
      return Response(
        content: try T(GeneratedContent(json: response.text)), text: response.text,
        entries: response.entries, summary: response.summary)
    }
  }

  @available(macOS 26, iOS 26, visionOS 26, *)
  extension Schema {
    /// The schema that FoundationModels has of a type.
    public init(_ schema: GenerationSchema) throws {
      let json = try JSONReader.read([UInt8](JSONEncoder().encode(schema)), path: "a schema")
      self.init(json.withoutOrder.text)
    }
  }

  extension JSON {
    /// A schema without what FoundationModels says of the order of properties, which the schema has anyway.
    fileprivate var withoutOrder: JSON {
      switch self {
      case .array(let values): return .array(values.map(\.withoutOrder))
      case .object(let object):
        var result = JSONObject()
        for member in object.members where member.key != "x-order" {
          _ = result.append(member.key, member.value.withoutOrder)
        }
        return .object(result)
      default: return self
      }
    }
  }
#endif
