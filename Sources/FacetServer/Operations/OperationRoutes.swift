// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetJSON
import Foundation
import Hummingbird

/// Health, metrics, and what the server says of itself.
struct OperationRoutes: Sendable {
  let server: Server

  /// 200 when requests are answered; 503 while models load, and once the server stops.
  @Sendable func health(_ request: Request, _ context: ServerContext) async throws -> Response {
    guard !server.isReady else { return .json(.record(["status": "ok"])) }
    let message = server.isStopping ? "Stopping" : "Loading model"
    return .json(
      .record([
        "error": .record([
          "code": 503, "message": .string(message), "type": "unavailable_error",
        ])
      ]), status: .serviceUnavailable, headers: [.retryAfter: "1"])
  }

  /// The root: Ollama's clients ask whether somebody is there, browsers want the page.
  @Sendable func root(_ request: Request, _ context: ServerContext) async throws -> Response {
    guard request.headers[.accept]?.contains("text/html") == true else {
      return .text("Ollama is running")
    }
    return ChatPage.response
  }

  @Sendable func openAPI(_ request: Request, _ context: ServerContext) async throws -> Response {
    .json(OpenAPIDescription.document(server.routes))
  }

  @Sendable func metrics(_ request: Request, _ context: ServerContext) async throws -> Response {
    var page = MetricsPage()
    addModels(&page)
    addAnswers(&page)
    addProcess(&page)
    return .text(page.text, type: "text/plain; version=0.0.4; charset=utf-8")
  }

  /// What loaded models are doing.
  private func addModels(_ page: inout MetricsPage) {
    let loaded = server.models.loaded()
    func samples(_ value: (RunningModel) -> Double) -> [MetricsPage.Sample] {
      loaded.map { ([("model_name", $0.name)], value($0)) }
    }
    let figures: [(name: String, alias: String?, help: String, samples: [MetricsPage.Sample])] = [
      (
        "facet_requests_running", "vllm:num_requests_running", "Sequences being read or written.",
        samples { Double($0.status.running) }
      ),
      (
        "facet_requests_waiting", "vllm:num_requests_waiting", "Requests waiting for a place.",
        samples { Double($0.status.waiting) }
      ),
      (
        "facet_cache_usage_ratio", "vllm:kv_cache_usage_perc",
        "Tokens in running and kept caches, of those that would fill every place.",
        samples {
          min(
            1, Double($0.status.cacheTokens) / Double(max(1, $0.status.places * $0.contextLength)))
        }
      ),
      (
        "facet_cache_bytes", nil, "Memory of all caches.", samples { Double($0.status.cacheBytes) }
      ),
      ("facet_model_bytes", nil, "Memory of a model.", samples { Double($0.byteCount) }),
      (
        "facet_kept_prefixes", nil, "Caches kept for prompts to come.",
        samples { Double($0.status.keptPrefixes) }
      ),
    ]
    for figure in figures {
      page.add(figure.name, "gauge", figure.help, figure.samples)
      if server.settings.hasMetricAliases, let alias = figure.alias {
        page.add(alias, "gauge", figure.help, figure.samples)
      }
    }
    page.add(
      "facet_models_loaded", "gauge", "Models in memory.", [([], Double(loaded.count))])
    page.add(
      "facet_engine_steps_total", "counter", "Passes through a model.",
      samples { Double($0.status.steps) })
  }

  /// What has been answered.
  private func addAnswers(_ page: inout MetricsPage) {
    let answers = server.metrics.answers.sorted { $0.key < $1.key }
    func labels(_ model: String) -> [(String, String)] { [("model_name", model)] }
    func both(
      _ name: String, _ alias: String, _ help: String, _ value: (ServerMetrics.Answers) -> Double
    ) {
      let samples = answers.map { (labels($0.key), value($0.value)) }
      page.add("facet_" + name, "counter", help, samples)
      if server.settings.hasMetricAliases { page.add("vllm:" + alias, "counter", help, samples) }
    }
    both("prompt_tokens_total", "prompt_tokens_total", "Tokens of prompts.") {
      Double($0.promptTokens)
    }
    both("generation_tokens_total", "generation_tokens_total", "Tokens written.") {
      Double($0.generatedTokens)
    }
    both("prefix_cache_hits_total", "prefix_cache_hits_total", "Prompt tokens found in a cache.") {
      Double($0.cachedTokens)
    }
    both("prefix_cache_queries_total", "prefix_cache_queries_total", "Prompt tokens looked up.") {
      Double($0.promptTokens)
    }
    let ends = answers.flatMap { model, answers in
      answers.ends.sorted { $0.key < $1.key }.map {
        (labels(model) + [("finished_reason", $0.key)], Double($0.value))
      }
    }
    page.add("facet_answers_total", "counter", "Answers by why they ended.", ends)
    if server.settings.hasMetricAliases {
      page.add("vllm:request_success_total", "counter", "Answers by why they ended.", ends)
    }
    addHistograms(&page, answers)
    page.add(
      "facet_responses_total", "counter", "Responses by API and status.",
      server.metrics.responses.sorted { ($0.key.api, $0.key.status) < ($1.key.api, $1.key.status) }
        .map { ([("api", $0.key.api), ("status", "\($0.key.status)")], Double($0.value)) })
  }

  private func addHistograms(
    _ page: inout MetricsPage, _ answers: [(key: String, value: ServerMetrics.Answers)]
  ) {
    let kinds: [(String, String, KeyPath<ServerMetrics.Answers, Histogram>)] = [
      ("time_to_first_token_seconds", "From a request to its first token.", \.firstToken),
      ("inter_token_latency_seconds", "From one token to the next.", \.gap),
      ("e2e_request_latency_seconds", "From a request to the end of its answer.", \.whole),
      ("request_queue_time_seconds", "Waiting for a place.", \.queue),
      ("request_prefill_time_seconds", "Reading the prompt.", \.prefill),
      ("request_decode_time_seconds", "Writing the answer.", \.decode),
      ("request_prompt_tokens", "Tokens of a prompt.", \.promptLength),
      ("request_generation_tokens", "Tokens of an answer.", \.answerLength),
    ]
    for (name, help, path) in kinds {
      let histograms = answers.map { ([("model_name", $0.key)], $0.value[keyPath: path]) }
      page.add("facet_" + name, help, histograms)
      if server.settings.hasMetricAliases { page.add("vllm:" + name, help, histograms) }
    }
  }

  private func addProcess(_ page: inout MetricsPage) {
    let resident = ProcessFigures.residentBytes
    page.add(
      "process_resident_memory_bytes", "gauge", "Resident memory.",
      resident.map { [([], Double($0))] } ?? [])
    let files = ProcessFigures.openFiles
    page.add(
      "process_open_fds", "gauge", "Open files.", files.map { [([], Double($0))] } ?? [])
    page.add(
      "process_start_time_seconds", "gauge", "When the server started.",
      [([], server.start.timeIntervalSince1970.rounded())])
  }
}

/// What the system says of this process.
enum ProcessFigures {
  /// Bytes of its memory that are in use.
  static var residentBytes: Int? {
    let line = SystemFile.lines("/proc/self/status").first { $0.hasPrefix("VmRSS:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }

  /// Its open files, sockets included.
  static var openFiles: Int? {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count
  }
}
