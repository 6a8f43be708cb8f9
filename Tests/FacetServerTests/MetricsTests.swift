// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetServer
import HTTPTypes
import NIOCore
import Testing

/// Prometheus's text format, version 0.0.4, as its documentation has it.
@Suite("Metrics")
struct MetricsTests {
  @Test("families have a help line, a type, and escaped labels")
  func families() {
    var page = MetricsPage()
    page.add("a_total", "counter", "Things.", [([("name", "x\"y\\z\n")], 3), ([], 0.5)])
    page.add("empty", "gauge", "Nothing.", [])
    #expect(
      page.text == """
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{name="x\\"y\\\\z\\n"} 3
        a_total 0.5

        """)
  }

  @Test("a histogram's buckets count all that is not above them")
  func histograms() {
    var histogram = Histogram([1, 2])
    for value in [0.5, 1, 1.5, 7] { histogram.add(value) }
    var page = MetricsPage()
    page.add("h", "Times.", [([("m", "x")], histogram)])
    #expect(
      page.text == """
        # HELP h Times.
        # TYPE h histogram
        h_bucket{m="x",le="1"} 2
        h_bucket{m="x",le="2"} 3
        h_bucket{m="x",le="+Inf"} 4
        h_sum{m="x"} 10
        h_count{m="x"} 4

        """)
  }

  @Test("answers are counted under own names and under vLLM's")
  func served() async throws {
    try await TestServer.with { client in
      _ = try await client.post(
        "/v1/completions", #"{"prompt":"the","max_tokens":3,"temperature":0}"#)
      let text = String(buffer: try await client.send(.get, "/metrics").body)
      for name in ["facet_generation_tokens_total", "vllm:generation_tokens_total"] {
        #expect(text.contains("\(name){model_name=\"\(TestServer.model)\"} "), "\(name)")
      }
      #expect(text.contains("facet_time_to_first_token_seconds_count"))
      #expect(text.contains("facet_responses_total{api=\"openAI\",status=\"200\"} 1"))
    }
  }
}
