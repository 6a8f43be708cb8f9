// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where things lie under the library's home.
///
///     blobs/sha256-HEX            the files of models, named by content
///     manifests/NAME/TAG.json     what a model consists of; NAME/TAG.licence.txt its notice
///     models/sha256-HEX/          a model of several files, as a directory of links to blobs
///     partial/KEY/                downloads under way
///     uploads/sha256-HEX          files that clients have sent, before a model is made of them
///     cache/                      what is worked out of vocabularies once; may be deleted at any time
///     locks/KEY/                  who may download; locks/store: who may change the library
package struct StoreLayout: Sendable, Hashable {
  package let home: String

  package var blobs: String { home + "/blobs" }
  package var manifests: String { home + "/manifests" }
  package var views: String { home + "/models" }
  package var partials: String { home + "/partial" }
  package var uploads: String { home + "/uploads" }
  package var cache: String { home + "/cache" }
  package var locks: String { home + "/locks" }

  package func blob(_ sha256: String) -> String { "\(blobs)/sha256-\(sha256)" }
  package func upload(_ sha256: String) -> String { "\(uploads)/sha256-\(sha256)" }
  package func view(_ digest: String) -> String { "\(views)/sha256-\(digest)" }
  package func manifest(_ name: ModelName) -> String { "\(manifests)/\(name.path).json" }
  package func notice(_ name: ModelName) -> String { "\(manifests)/\(name.path).licence.txt" }
  package func partial(_ name: ModelName) -> String { "\(partials)/\(name.key)" }
  package func lock(_ name: ModelName) -> String { "\(locks)/\(name.key)" }
  package var storeLock: String { "\(locks)/store" }
}
