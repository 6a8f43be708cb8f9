// swift-tools-version: 6.2
// Facet: Gemma, end to end, in Swift. Licensed under Apache-2.0.

import PackageDescription

/// Every Swift target is held to the same rules: Swift 6, strict memory safety, no warnings.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Returning spans from our own types needs this; see docs/adr/0003-spans-and-lifetimes.md.
let lifetimes: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

let package = Package(
  name: "facet",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "facet", targets: ["FacetCLI"]),
    .executable(name: "facet-serve", targets: ["FacetServe"]),
    .library(name: "Facet", targets: ["Facet"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // What the server is made of; the command and the library build none of it.
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1",
      traits: ["FullFoundation"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // The engine: depends on nothing but the toolchain.
    .target(
      name: "CFacetKernels",
      exclude: ["README.md"],
      cSettings: [.treatAllWarnings(as: .error)]),
    .target(name: "FacetTensor", dependencies: ["CFacetKernels"], swiftSettings: lifetimes),
    .target(name: "FacetTokenizer", swiftSettings: strict),
    .target(name: "FacetCheckpoint", dependencies: ["FacetTensor"], swiftSettings: lifetimes),
    .target(
      name: "FacetModel", dependencies: ["FacetTensor", "FacetCheckpoint"], swiftSettings: strict),
    .target(
      name: "FacetGeneration", dependencies: ["FacetModel", "FacetTokenizer"],
      swiftSettings: strict),

    // Around the engine.
    .target(name: "FacetStore", dependencies: ["FacetCheckpoint"], swiftSettings: strict),
    .target(name: "Facet", dependencies: ["FacetStore", "FacetGeneration"], swiftSettings: strict),
    .target(
      name: "FacetTraining",
      dependencies: [
        "FacetModel", "FacetTokenizer", "FacetCheckpoint", .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    // The definitions of tasks are part of the binary: it can be moved.
    .target(
      name: "FacetEvaluation", dependencies: ["FacetGeneration"],
      resources: [
        .embedInCode("Programs/sandbox.py"),
        .embedInCode("Scoring/Models/moderation-ngram-1.bin"),
        .embedInCode("Tasks/agieval_en.json"),
        .embedInCode("Tasks/agieval_math.json"),
        .embedInCode("Tasks/arc_challenge.json"),
        .embedInCode("Tasks/arc_easy.json"),
        .embedInCode("Tasks/bbh_cot_fewshot.json"),
        .embedInCode("Tasks/bbq.json"),
        .embedInCode("Tasks/bold.json"),
        .embedInCode("Tasks/boolq.json"),
        .embedInCode("Tasks/commonsense_qa.json"),
        .embedInCode("Tasks/crows_pairs_english.json"),
        .embedInCode("Tasks/gsm8k.json"),
        .embedInCode("Tasks/gsm8k_cot.json"),
        .embedInCode("Tasks/gsm8k_cot_self_consistency.json"),
        .embedInCode("Tasks/hellaswag.json"),
        .embedInCode("Tasks/hellaswag_ctx.json"),
        .embedInCode("Tasks/humaneval.json"),
        .embedInCode("Tasks/mbpp.json"),
        .embedInCode("Tasks/minerva_math.json"),
        .embedInCode("Tasks/mmlu.json"),
        .embedInCode("Tasks/nq_open.json"),
        .embedInCode("Tasks/openbookqa.json"),
        .embedInCode("Tasks/piqa.json"),
        .embedInCode("Tasks/realtoxicityprompts.json"),
        .embedInCode("Tasks/social_iqa.json"),
        .embedInCode("Tasks/toxigen.json"),
        .embedInCode("Tasks/triviaqa.json"),
        .embedInCode("Tasks/truthfulqa_mc1.json"),
        .embedInCode("Tasks/truthfulqa_mc2.json"),
        .embedInCode("Tasks/wikitext.json"),
        .embedInCode("Tasks/winobias_1_2.json"),
        .embedInCode("Tasks/winobias_2_2.json"),
        .embedInCode("Tasks/winogender_all.json"),
        .embedInCode("Tasks/winogrande.json"),
      ],
      swiftSettings: strict),
    .target(
      name: "FacetServer",
      dependencies: [
        "Facet",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [.embedInCode("Page/page.html")], swiftSettings: strict),
    .executableTarget(
      name: "FacetServe",
      dependencies: [
        "FacetServer", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "FacetCLI",
      dependencies: [
        "Facet", "FacetStore", "FacetTraining", "FacetEvaluation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Tests mirror Sources.
    .target(
      name: "FacetTestSupport", path: "Tests/FacetTestSupport", swiftSettings: strict),
    // A process for the tests of the store to kill.
    .executableTarget(
      name: "StoreKillProbe", dependencies: ["FacetStore"], path: "Tests/StoreKillProbe",
      swiftSettings: strict),
    // Many sessions at once, for the thread sanitizer (scripts/check-threads).
    .executableTarget(
      name: "EngineStressProbe", dependencies: ["FacetGeneration", "FacetTestSupport"],
      path: "Tests/EngineStressProbe", swiftSettings: strict),
    .testTarget(
      name: "FacetTensorTests", dependencies: ["FacetTensor", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetTokenizerTests", dependencies: ["FacetTokenizer", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetCheckpointTests", dependencies: ["FacetCheckpoint", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetModelTests", dependencies: ["FacetModel", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetGenerationTests", dependencies: ["FacetGeneration", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetTrainingTests", dependencies: ["FacetTraining", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetEvaluationTests", dependencies: ["FacetEvaluation", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetStoreTests", dependencies: ["FacetStore", "FacetTestSupport", "StoreKillProbe"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetTests", dependencies: ["Facet", "FacetTestSupport"], swiftSettings: strict),
    // The code of the tutorial.
    .testTarget(
      name: "TutorialTests", dependencies: ["Facet", "FacetTestSupport"],
      path: "Examples/Tutorial", swiftSettings: strict),
    .testTarget(
      name: "FacetServerTests",
      dependencies: [
        "FacetServer", "FacetTestSupport",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FacetServeTests", dependencies: ["FacetServe", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetCLITests", dependencies: ["FacetCLI", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["Facet", "FacetTraining", "FacetTestSupport"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
