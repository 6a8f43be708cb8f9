// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation
import Testing

/// The forms in which `facet bench` shows a result that is there already.
@Suite("Results of the benchmark")
struct BenchTests {
  /// A result with figures that are easy to follow.
  private func file(_ name: String, factor: Double) throws -> String {
    func row(_ kind: BenchmarkRow.Kind, _ tokens: Int, batch: Int, _ runs: [Double]) -> BenchmarkRow
    {
      BenchmarkRow(
        key: BenchmarkRow.Key(
          model: "a<b", kind: kind, tokens: tokens, batch: batch, depth: kind == .decode ? 512 : 0),
        threads: 2, precision: "fast", runs: runs.map { $0 * factor }, ceilingShare: 0.5)
    }
    let result = BenchmarkResult(
      instructionSet: "avx2",
      ceilings: MachineCeilings(readBytesPerSecond: 20e9, f32OperationsPerSecond: 100e9),
      rows: [
        row(.prefill, 512, batch: 1, [1000, 1200, 1100]),
        row(.decode, 64, batch: 1, [90, 100, 95]),
        row(.decode, 64, batch: 8, [300, 310, 305]),
      ])
    let path = TinyModel.folder + "/" + name
    try JSONEncoder().encode(result).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test("the text, markdown and CSV of a result are these")
  func formats() throws {
    let path = try file("bench-formats.json", factor: 1)
    func output(_ format: String) throws -> String {
      try Facet.run("bench", "--from", path, "--format", format).output
    }
    #expect(
      try output("text") == """
        2 threads, fast, avx2, reads 20.0 GB/s, f32 100 Gop/s
        MODEL           TOKENS  BATCH  DEPTH  TOKENS/S    MIN    MAX  CEILING
        a<b    prefill     512      1      0      1100   1000   1200     50 %
        a<b    decode       64      1    512      95.0   90.0  100.0     50 %
        a<b    decode       64      8    512     305.0  300.0  310.0     50 %

        """)
    #expect(
      try output("markdown") == """
        2 threads, fast, avx2, reads 20.0 GB/s, f32 100 Gop/s

        | model |  | tokens | batch | depth | tokens/s | min | max | ceiling |
        | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
        | a<b | prefill | 512 | 1 | 0 | 1100 | 1000 | 1200 | 50 % |
        | a<b | decode | 64 | 1 | 512 | 95.0 | 90.0 | 100.0 | 50 % |
        | a<b | decode | 64 | 8 | 512 | 305.0 | 300.0 | 310.0 | 50 % |

        """)
    #expect(
      try output("csv") == """
        model,,tokens,batch,depth,tokens/s,min,max,ceiling
        a<b,prefill,512,1,0,1100,1000,1200,50
        a<b,decode,64,1,512,95.0,90.0,100.0,50
        a<b,decode,64,8,512,305.0,300.0,310.0,50

        """)
  }

  @Test("--against says what changed beyond the noise, also to another engine's short form")
  func against() throws {
    let now = try file("bench-now.json", factor: 2)
    let before = try file("bench-before.json", factor: 1)
    let rows = try Facet.run("bench", "--from", now, "--against", before, "--format", "csv").output
    #expect(rows.contains("a<b,decode,64,8,512,610.0,600.0,620.0,50,305.0,2.000,faster\n"))
    let back = try Facet.run("bench", "--from", before, "--against", now, "--format", "csv").output
    #expect(back.contains(",610.0,0.500,slower\n"))
    let same = try Facet.run("bench", "--from", now, "--against", now, "--format", "csv").output
    #expect(same.contains(",1.000,same\n"))
    let peer = TinyModel.folder + "/peer.json"
    try Data(
      """
      {"model": "other.gguf", "threads": 2, "prompt": 512, "generate": 64,
       "prefill_tokens_per_s": 550, "decode_tokens_per_s": 95,
       "prefill_runs": [550], "decode_runs": [95]}
      """.utf8
    ).write(to: URL(fileURLWithPath: peer))
    let ratio = try Facet.run("bench", "--from", before, "--against", peer, "--format", "csv")
      .output
    #expect(ratio.contains("a<b,prefill,512,1,0,1100,1000,1200,50,550.0,2.000,faster\n"))
    #expect(ratio.contains(",95.0,1.000,same\n"))
    #expect(ratio.contains(",,,not there\n"))
  }

  @Test("the chart is a well-formed drawing that needs nothing else, with a bar for every row")
  func chart() throws {
    let (now, before) = (
      try file("bench-chart.json", factor: 2), try file("bench-chart-before.json", factor: 1)
    )
    let path = TinyModel.folder + "/chart.svg"
    let made = try Facet.run("bench", "--from", now, "--against", before, "--svg", path)
    #expect(made.status == 0)
    let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    #expect(text.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    #expect(text.components(separatedBy: "<rect class=\"bar\"").count - 1 == 4)  // with the legend
    #expect(text.components(separatedBy: "<rect class=\"before\"").count - 1 == 4)
    #expect(text.contains("prefers-color-scheme: dark") && text.contains("a&lt;b"))
    #expect(!text.contains("href") && !text.contains("url("))
    let failed = try Facet.run("bench", "--from", now, "--svg", TinyModel.folder + "/none/x.svg")
    #expect(failed.status == 1)
  }
}
