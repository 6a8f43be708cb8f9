// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
package import Foundation

/// What the Hub says about a repository: `GET /api/models/OWNER/NAME/revision/REV?blobs=true`.
///
/// All of it is text from elsewhere and may be anything.
package struct HubPage: Sendable {
  /// The commit that the revision means now.
  package let commit: String
  package let files: [HubFile]
  /// The licence's identifier, as in `license: gemma` on the model's card.
  package let licence: String?
  /// For a licence that is none of the known ones: its name and where it stands.
  package let licenceName: String?
  package let licenceLink: String?

  /// Reads the answer; nil when it is not one of the Hub's.
  package init?(_ data: Data) {
    guard let reply = try? JSONDecoder().decode(Reply.self, from: data), let sha = reply.sha,
      ModelName.isWord(sha), let siblings = reply.siblings, siblings.count <= 20_000
    else { return nil }
    commit = sha
    files = siblings.map(HubFile.init)
    let tag = reply.tags?.first { $0.hasPrefix("license:") }.map { String($0.dropFirst(8)) }
    licence = (reply.cardData?.license?.first ?? tag).map(PlainText.line)
    licenceName = reply.cardData?.licenseName?.first.map(PlainText.line)
    licenceLink = reply.cardData?.licenseLink?.first.map(PlainText.line)
  }

  /// The terms, as the model's page states them.
  package func terms(page: String) -> Licence {
    guard licence == "other", let licenceName else { return .named(licence, page: page) }
    let link = licenceLink.flatMap { $0.hasPrefix("https://") ? $0 : nil }
    return .named(licenceName, page: link ?? page)
  }
}

/// A file of a repository.
package struct HubFile: Sendable, Hashable {
  package let name: String
  /// Nil when the Hub does not say, or says what cannot be.
  package let byteCount: Int?
  /// The SHA-256 of a large file (LFS).
  package let sha256: String?
  /// The name git gives to a small one: the SHA-1 of its size and bytes.
  package let gitSHA1: String?

  package init(name: String, byteCount: Int?, sha256: String? = nil, gitSHA1: String? = nil) {
    self.name = name
    self.byteCount = byteCount.flatMap { (0...StoredFile.largestByteCount).contains($0) ? $0 : nil }
    self.sha256 = sha256.flatMap { SHA256.isDigest($0) ? $0 : nil }
    self.gitSHA1 = gitSHA1.flatMap { SHA1.isDigest($0) ? $0 : nil }
  }

  fileprivate init(_ sibling: Sibling) {
    // The blob of a large file is the note that points to it, not the file.
    self.init(
      name: sibling.rfilename, byteCount: sibling.lfs?.size ?? sibling.size,
      sha256: sibling.lfs?.sha256, gitSHA1: sibling.lfs == nil ? sibling.blobId : nil)
  }
}

private struct Reply: Decodable {
  var sha: String?
  var siblings: [Sibling]?
  var tags: [String]?
  var cardData: Card?
}

private struct Sibling: Decodable {
  struct Large: Decodable {
    var sha256: String?
    var size: Int?
  }
  var rfilename: String
  var size: Int?
  var blobId: String?
  var lfs: Large?
}

private struct Card: Decodable {
  var license: OneOrMany?
  var licenseName: OneOrMany?
  var licenseLink: OneOrMany?

  private enum CodingKeys: String, CodingKey {
    case license
    case licenseName = "license_name"
    case licenseLink = "license_link"
  }

  /// Cards are written by hand: what has another form than expected is left out.
  init(from decoder: any Decoder) throws {
    guard let fields = try? decoder.container(keyedBy: CodingKeys.self) else { return }
    license = try? fields.decode(OneOrMany.self, forKey: .license)
    licenseName = try? fields.decode(OneOrMany.self, forKey: .licenseName)
    licenseLink = try? fields.decode(OneOrMany.self, forKey: .licenseLink)
  }
}

/// A text, or a list of which the first counts.
private struct OneOrMany: Decodable {
  var first: String?

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let text = try? value.decode(String.self) {
      first = text
    } else {
      first = try value.decode([String].self).first
    }
  }
}
