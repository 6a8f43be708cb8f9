// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetGeneration
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

@Suite("Memorisation of the real Gemma 3 270M")
struct RealModelMemorizationTests {
  private static let path = StoredModels.path(sha256: StoredModels.gemma3Hash)
  private static let emma = SharedData.path("gutenberg/austen-emma.txt")

  /// Words that stand in very many repositories.
  private static let licence = """
    , FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR \
    COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF \
    CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR \
    OTHER DEALINGS IN THE SOFTWARE.
    """

  @Test(
    "words of a licence that is everywhere are known by heart, a page of Emma is not",
    .enabled(if: path != nil && emma != nil, "\(StoredModels.needsGemma3) and ../shared/data"))
  func licenceAndEmma() throws {
    let model = try LanguageModel.load(
      path: #require(Self.path), options: LanguageModel.LoadOptions(precision: .exact))
    let emma = try String(contentsOfFile: #require(Self.emma), encoding: .utf8)
    var options = MemorizationResult.Options()
    options.prefix = 24
    options.continuation = 30
    options.samples = 12
    let licence = try model.memorization(
      of: [model.tokenizer.encode(Self.licence)], options: options)
    #expect(licence.approximate.count >= 6, "\(licence.trials.map(\.distance))")
    let novel = try model.memorization(
      of: [model.tokenizer.encode(String(emma.prefix(60_000)))], options: options)
    #expect(novel.approximate.count == 0, "\(novel.trials.map(\.distance))")
  }
}
